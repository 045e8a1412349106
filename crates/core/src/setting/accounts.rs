//! The settings of accounts: what their owners may change, logins, second factors, passwords and mail.

use super::{Known, flag, number, text};

known! {
    PROFILE_CHANGE = flag("Accounts_AllowUserProfileChange", true, true);
    AVATAR_CHANGE = flag("Accounts_AllowUserAvatarChange", true, true);
    NAME_CHANGE = flag("Accounts_AllowRealNameChange", true, true);
    USERNAME_CHANGE = flag("Accounts_AllowUsernameChange", true, true);
    EMAIL_CHANGE = flag("Accounts_AllowEmailChange", true, true);
    PASSWORD_CHANGE = flag("Accounts_AllowPasswordChange", true, true);
    OWN_DELETION = flag("Accounts_AllowDeleteOwnAccount", false, true);
    ACCOUNT_FIELDS = text("Accounts_CustomFields", "", true);
    AVATARS_NEED_LOGIN = flag("Accounts_AvatarBlockUnauthenticatedAccess", true, true);
    EMAIL_VERIFICATION = flag("Accounts_EmailVerification", false, true);
    PASSWORD_RESET = flag("Accounts_PasswordReset", true, true);
    TWO_FACTOR = flag("Accounts_TwoFactorAuthentication_Enabled", true, true);
    REMEMBER_FACTOR = number("Accounts_TwoFactorAuthentication_RememberFor", 1800, false);
    PASSWORD_FALLBACK = flag("Accounts_TwoFactorAuthentication_Enforce_Password_Fallback", true, false);
    EMAIL_CODES = flag("Accounts_TwoFactorAuthentication_By_Email_Enabled", true, true);
    EMAIL_CODE_SECONDS = number("Accounts_TwoFactorAuthentication_By_Email_Code_Expiration", 3600, false);
    FACTOR_ATTEMPTS = number("Accounts_TwoFactorAuthentication_Max_Invalid_Email_Code_Attempts", 5, false);
    BLOCK_LOGINS = flag("Block_Multiple_Failed_Logins_Enabled", true, false);
    BLOCK_BY_USER = flag("Block_Multiple_Failed_Logins_By_User", true, false);
    BLOCK_BY_IP = flag("Block_Multiple_Failed_Logins_By_Ip", true, false);
    BLOCK_USER_ATTEMPTS = number("Block_Multiple_Failed_Logins_Attempts_Until_Block_by_User", 10, false);
    BLOCK_IP_ATTEMPTS = number("Block_Multiple_Failed_Logins_Attempts_Until_Block_By_Ip", 50, false);
    BLOCK_USER_MINUTES = number("Block_Multiple_Failed_Logins_Time_To_Unblock_By_User_In_Minutes", 5, false);
    BLOCK_IP_MINUTES = number("Block_Multiple_Failed_Logins_Time_To_Unblock_By_Ip_In_Minutes", 5, false);
    BLOCK_WHITELIST = text("Block_Multiple_Failed_Logins_Ip_Whitelist", "", false);
    POLICY = flag("Accounts_Password_Policy_Enabled", false, true);
    POLICY_MIN = number("Accounts_Password_Policy_MinLength", 7, true);
    POLICY_MAX = number("Accounts_Password_Policy_MaxLength", 64, true);
    POLICY_NO_REPEATS = flag("Accounts_Password_Policy_ForbidRepeatingCharacters", true, true);
    POLICY_REPEATS = number("Accounts_Password_Policy_ForbidRepeatingCharactersCount", 3, true);
    POLICY_LOWER = flag("Accounts_Password_Policy_AtLeastOneLowercase", true, true);
    POLICY_UPPER = flag("Accounts_Password_Policy_AtLeastOneUppercase", true, true);
    POLICY_NUMBER = flag("Accounts_Password_Policy_AtLeastOneNumber", true, true);
    POLICY_SPECIAL = flag("Accounts_Password_Policy_AtLeastOneSpecialCharacter", true, true);
    SMTP_PROTOCOL = text("SMTP_Protocol", "smtp", false);
    SMTP_HOST = text("SMTP_Host", "", false);
    SMTP_PORT = number("SMTP_Port", 0, false);
    SMTP_IGNORE_TLS = flag("SMTP_IgnoreTLS", false, false);
    SMTP_USERNAME = text("SMTP_Username", "", false);
    SMTP_PASSWORD = text("SMTP_Password", "", false);
    FROM_EMAIL = text("From_Email", "", false);
}

/// Settings that are stored sealed and shown to nobody.
pub(super) const SECRET: &[&str] = &[SMTP_PASSWORD.id];
