//! The settings that are this server's own: its bounds, its additions to the contract, and the limits of
//! the other face, whose contract has no settings.

use super::{Known, flag, number, text};

known! {
    EDIT_HISTORY = flag("Parlance_Edit_History_Readable", false, true);
    SEARCH_INDEX = flag("Parlance_Search_Index", true, false);
    MEMBERS_SET_TOPIC = flag("Parlance_Members_Set_Topic", true, false);
    MEEPA_RATE = number("MeepaChat_Rate_Limit_Per_Minute", 240, false);
    MEEPA_BURST = number("MeepaChat_Rate_Limit_Burst", 60, false);
    MEEPA_AUTH_RATE = number("MeepaChat_Auth_Rate_Limit_Per_Minute", 10, false);
    MEEPA_AUTH_BURST = number("MeepaChat_Auth_Rate_Limit_Burst", 5, false);
    UNSAFE_QUERY = text("Parlance_Query_And_Fields", "on", false);
    QUERY_ROWS = number("Parlance_Query_Max_Rows", 200_000, false);
    QUERY_TIME = number("Parlance_Query_Max_Milliseconds", 5000, false);
    QUERY_TEXT = number("Parlance_Query_Max_Bytes", 8192, false);
    QUERY_DEPTH = number("Parlance_Query_Max_Depth", 12, false);
    QUERY_NODES = number("Parlance_Query_Max_Conditions", 200, false);
    QUERY_VALUES = number("Parlance_Query_Max_Values", 500, false);
    QUERY_REGEXES = number("Parlance_Query_Max_Regexes", 16, false);
    QUERY_REGEX_TEXT = number("Parlance_Query_Max_Regex_Bytes", 512, false);
    QUERY_REGEX_SIZE = number("Parlance_Query_Max_Regex_Size", 262_144, false);
    QUERY_SORT_KEYS = number("Parlance_Query_Max_Sort_Keys", 8, false);
    QUERY_FIELDS = number("Parlance_Query_Max_Fields", 100, false);
    LOG_ROWS = number("Parlance_Event_Log_Max_Rows", 1_000_000, false);
    LOG_DAYS = number("Parlance_Event_Log_Max_Days", 7, false);
    PREVIEW_NETWORKS = text("Parlance_Preview_Allowed_Networks", "", false);
    EXPORT_BYTES = number("Parlance_Export_Max_Bytes", 104_857_600, false);
    EXPORT_DAYS = number("Parlance_Export_Days", 7, false);
    MEEPA_MAX_SIZE = number("MeepaChat_Max_Content", 4000, true);
}
