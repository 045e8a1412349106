// The corpus: messages that people and testers type, every construct in every
// place it may stand, and mutations of all of them. The same seed gives the
// same messages; each is [class, text, name of an option set].

import { readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const here = dirname(fileURLToPath(import.meta.url));

const katex = (parenthesisSyntax, dollarSyntax) => ({ parenthesisSyntax, dollarSyntax });
export const options = {
	server: { colors: true, emoticons: true, katex: katex(true, false), customDomains: [] },
	dollar: { colors: true, emoticons: true, katex: katex(true, true), customDomains: [] },
	dollarOnly: { colors: true, emoticons: true, katex: katex(false, true), customDomains: [] },
	noKatex: { colors: true, emoticons: true, customDomains: [] },
	noColors: { colors: false, emoticons: true, katex: katex(true, false), customDomains: [] },
	noEmoticons: { colors: true, emoticons: false, katex: katex(true, false), customDomains: [] },
	domains: { colors: true, emoticons: true, katex: katex(true, false), customDomains: ['intern', 'wiki.corp', 'x'] },
	none: {},
};

/** Numbers from a seed: a linear congruential generator, the same on every machine. */
export function chance(seed) {
	let state = Number(seed) >>> 0;
	const below = (n) => {
		state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
		return Math.floor((state / 2 ** 32) * n);
	};
	return { below, pick: (list) => list[below(list.length)] };
}

const words = ['a', 'hello', 'World', 'ok', 'I', 'Привет', 'мир', 'שלום', 'עולם', '你好', '世界', 'こんにちは', '안녕', 'مرحبا', 'العالم', 'नमस्ते', 'हिन्दी', 'สวัสดี', 'été', 'Ærø', 'naïve', 'x1', '42', "don't", 'snake_case', 'semi;colon', 'and/or', 'e.g.', 'v1.2.3', 'end.', 'what?', 'wow!', '(aside)', '10:30', '50%', '"quoted"', 'file.txt', 'C++', 'a-b', '$5', 'x=y', '&', '—', '…', '\u202Bשלום\u202C', '\u200Fا\u200E', '٣٤٥', '１２', '𝐛𝐨𝐥𝐝', 'e\u0301'];

/** Fragments of each construct; each class is used at least 60 times. */
export const fragments = {
	plain: words,
	bold: ['*a*', '**a**', '*two words*', '*a *b', '**a*', '*a**', '* a *', '*a_b*', '*a _b_ c*', '*~a~*', '*@bob*', '*#dev*', '*`c`*', '*[t](http://a.com)*', '*:smile:*', '*😀*', '*a :) b*', '*a*b', 'a*b*c', '*a\nb*', '**', '* *', '***a***', '*<http://a.com|b>*', '*Привет*', '*你好*', '*مرحبا*', '*a.com*', '*a*.', '(*a*)', '*a*_b_'],
	italic: ['_a_', '__a__', '_two words_', '_a *b* c_', '__a_', '_a__', '_a_b_', 'a_b_c', '_a_b', '__a__b', '_a_1', '__a__1', '_~a~_', '_@bob_', '_#dev_', '_`c`_', '_[t](http://a.com)_', '_:smile:_', '_😀_', '_a :)_', '__', '_ _', '_ _b_', '___a___', '_Привет_', '_你好_', '_नमस्ते_', '_a_.', '(_a_)', 'x_', 'x__', '_x', 'user_name', '__init__', '_a\nb_'],
	strike: ['~a~', '~~a~~', '~two words~', '~~a~', '~a~~', '~a *b* c~', '~_a_~', '~_ _b_~', '~* *b~', '~@bob~', '~#dev~', '~`c`~', '~[t](http://a.com)~', '~:smile:~', '~😀~', '~a:)~', '~<t:1700000000:R>~', '~~', '~ ~', '~~~a~~~', 'a~b~c', '~สวัสดี~', '~a~.', '(~a~)', '~a\nb~', '~:)~', '~a@b.com~'],
	spoiler: ['||a||', '||two words||', '|| a ||', '||*a*||', '||_a_ ~b~||', '||@bob||', '||https://a.com||', '||https://a.com ||', '||a', '||', '||||', '|a|', '||a|b||', '||:)||', '||:smile:||', '||😀||', '||`c`||', '||a||b||', '||||a||||', '||[t](http://a.com)||', '||color:#fff||', '||\\(x\\)||', '||שלום||', '||a\nb||', '||a:)||', '||+123456||'],
	code: ['`a`', '`let x = 1;`', '`*b*`', '`@user`', '`a b`', '` `', '``', '``a``', '`a', 'a`b`c', '`a\nb`', '`https://a.com`', '`a`b', '`\\`', '`😀`', '`a``b`', '`**`', '`[a](http://b.com)`', '`Привет`', '`\ta`'],
	mention: ['@bob', '@all', '@here', '@test.john', '@a-b_c', '@bob.', '@user@server.com', '@u:matrix.org', '@user:my.server:8080', '@jürgen', '@Иван', '@你好', '@', '@@bob', '@@@bob', '@ bob', 'a@bob', '.@bob', '(@bob)', '@bob,', "@bob's", '@bob:', '@bob@', '@bob: hi', '@bob/x', '@_a_', '@-', '@.', '😀@bob', '@bob😀', '@a@b@c', '@bob\n@ann', '"@bob"', '@ann,@bob', 'é@bob', '<@bob>', '@123'],
	channel: ['#general', '#dev-ops', '#a.b', '#x_y', '#канал', '#', '##a', '# a#b', 'a#b', '(#a)', '#a,', '#1', '#a#b', '#😀', '#你好', '.#a', '#a/b', '#a:b', '@a#b', '#@a', '"#a"', '#-', '#general.'],
	url: ['https://example.com', 'http://example.com/a/b?c=d&e=f#g', 'HTTPS://EXAMPLE.COM/A', 'https://github.com/RocketChat/Rocket.Chat/releases/tag/6.2.8', 'https://en.wikipedia.org/wiki/Foo_(bar)', 'http://localhost:3000', 'http://localhost:3000/a?b', 'localhost', 'localhost:8080/x', 'ftp://files.example.net', 'https://u:p@example.com/x', 'http://192.168.0.1:8080/a', 'https://a.com/x_y_z', 'https://a.com/*x*', 'https://a.com/~u/', 'https://a.com/a,b;c', "https://a.com/it's", 'https://a.com/"q"', 'https://a.com/a|b', 'https://a.com/<b>', 'https://a.com/a:b', 'https://a.com/?q=a+b%20c', 'https://a.com/#/x/y', 'https://пример.рф/путь', 'https://例え.jp/パス', 'https://a.com/😀', 'https://a', 'https://', 'http://a..b', 'https://a.b-c.com', 'https://a_b.com', 'https://-a.com', 'https://a-.com', 'https://a.com:99999', 'https://a.com:', 'https://a.com:x', 'https://[::1]/x', 'http://a.com/a(b)c', 'file:///a/b', 'ssh://git@github.com/a/b.git', 'git@github.com:a/b.git', 'rocketchat://room', 'spotify:track:abc', 'tel:+123456', 'mailto:a@b.com', 'https://a.com/!', 'https://a.com/a...', 'ws://a.com', 'steam://run/1', 'https://a.com/x?y=[z]', 'https://a.com/x\\y', 'https://a.com//b', 'x:https://a.com', 'https://1.2.3', 'https://example.com/@user', 'https://example.com?x', 'https://example.com#x'],
	domain: ['google.com', 'www.example.org/path', 'sub.domain.co.uk', 'example.com:8080/x', '192.168.0.1', '1.2.3.4:80', '1.2.3', 'a.b', 'readme.md', 'index.html', 'main.rs', 'a.notatld', 'e.g', 'i.e.', 'node.js', 'a.com,b.com', 'a.com/b.com', 'A.COM', 'é.com', 'пример.рф', '例え.jp', 'a.com中', '-a.com', '_a.com', 'a_b.com', 'a/b.com__c__', 'a.co.za', 'a.za', 'x.y.za', 'a.gov.uk', 'a.github.io', 'a--b.com', 'a.-b.com', 'a.b.c.d.com', '.com', '..com', 'a..com', 'a.com.', 'a.com..', 'a.com:80:90', 'foo@a.com/x', 'wiki.intern', 'a.wiki.corp', 'wiki.corp/x', 'a.x', 'b.intern:80', 'X.INTERN', 'a.com&b', 'a.com+b', 'a.com=b', 'a.com?b', 'a.com#b', 'x=a.com', 'a,b.com', '(a.com)', '"a.com"', "'a.com'", 'a.com"', '1a.com', '999.999.999.999', '12.5%', '3.14', '$9.99'],
	email: ['a@b.com', 'first.last@example.co.uk', 'x+tag@mail.org', 'mailto:q@w.de', 'no@tld', 'no@tld.__x__y.com', 'a@b', 'a@b.notatld', 'a@1.2.3.4', 'a@localhost', 'a@b.localhost', 'a_b@c.com', 'a-b@c.com', "o'neil@c.com", 'a/b@c.com', 'a#b@c.com', 'a?b@c.com', 'a..b@c.com', '.a@b.com', 'a.@b.com', 'a@b.com/x', 'a@b.com:8', 'a@b.com,c@d.com', 'a@b.com;c@d.com', '<a@b.com>', '(a@b.com)', 'A@B.COM', 'é@b.com', 'иван@пример.рф', 'a@@b.com', 'a@b@c.com', 'a@-b.com', 'a@_b.com', 'a@b_.com', 'mailto:a', 'MAILTO:a@b.com', 'a!b@c.com', '"a b"@c.com', 'a*b@c.com', 'a@b.com*', 'a@b.com_', 'a@b.com.', 'a@b.c.d.com', '😀@b.com', 'user@sub.wiki.corp', '1@2.com', '%a@b.com'],
	phone: ['+5511999998888', '+1-5551234', '+(12)34567', '+(12)-34567', '+(12)3456-7890', '+12', '+1234', '+12345', '+123456', '+1 (555) 123-4567', '+1 555 1234567', '+49 30 123456', '+(12)', '+(', '+', '+a', '++123456', '+12-34-56', '+1-', '+123456.', '+123456)', '(+123456)', 'a+123456', '+123456a', '+1.234', '+1(555)1234567', '555-1234', '1+123456', '+1-555-123-4567', 'x+(55)12345', '+123456@b.com', 'tel:+123456', '+٣٤٥٦٧٨'],
	link: ['[t](https://example.com)', '[a *b* c](https://a.com)', '[two words](http://a.com/x(y))', '[](https://a.com)', '[_i_](a.com)', '[x_y](mailto:a@b.com)', '[:smile:](http://a.com)', '[a](notalink)', '[a](+123456)', '[a](/rel)', '[a](#x)', '[a](http://a.com "title")', '[a](http://a.com)b', '[a] (http://a.com)', '[a](http://a.com', '[a]http://a.com)', '[a]()', '[](x)', '[a](b c)', '[a](http://a.com/b c)', '[a](http://a.com/(b)', '[a](http://a.com/b)c)', '[[a]](http://a.com)', '[a][b](http://a.com)', '[a] [b](http://a.com)', '[a](http://a.com)[b](http://b.com)', '[ a ](http://a.com)', '[a\nb](http://a.com)', '[a](http://a.com\n)', '[a](x:y)', '[a](localhost)', '[a](http://localhost:3000/x)', '[`c`](http://a.com)', '[*a*](http://a.com)', '[~a~ _b_](http://a.com)', '[@bob](http://a.com)', '[http://a.com](http://b.com)', '[😀](http://a.com)', '[Привет](https://пример.рф)', '[你好](http://例え.jp)', '[שלום](http://a.com)', '[a](http://a.com/?x=[y])', '[a](http://a.com/a*b*)', '[a](http://a.com.)', '[a](http://a.com,)', '[a](http://a.com/!)', '![a](', '[a](+1.2)', '[a](+(12)34567)', '[a](a@b.com)', '[a](1.2.3.4:80/x)', '[* *](http://a.com)', '[x_](http://a.com)', '[a](http://a.com/x|y)', '[a](http://a.com/\\)', '[a](skype:bob?call)', '[*a](b)*](http://c.com)'],
	image: ['![alt](https://example.com/a.png)', '![](a.com/b.jpg)', '![two words](x)', '![a](x.png)', '![ ](http://a.com)', '![ a ](http://a.com)', '![a*b](http://a.com)', '![a.b,c](http://a.com)', '![a](http://a.com', '![a] (http://a.com)', '!(http://a.com)', '![a](http://a.com)!', '!![a](http://a.com)', 'x![a](http://a.com)', '![a_b](http://a.com)', '![Привет](http://a.com)', '![你好](http://a.com/x(y))', '![😀](http://a.com)', '![a](+123456)', '![a\nb](http://a.com)', '![a](ftp://a.com/b)', '![a](localhost/x)', '![\ta](http://a.com)', '[![a](http://a.com/b.png)](http://c.com)', '*![a](http://a.com)*', '||![a](http://a.com)||', '![a](http://a.com)![b](http://b.com)', '![a](http://1.2.3.4/b.gif)', '![x](https://a.com/x.png?y=1&z=2#w)', '![a-b: "c"](http://a.com)'],
	angle: ['<https://example.com|t>', '<a.com|two words>', '<x|y>', '<mailto:a@b.com|t>', '<https://a.com|>', '<https://a.com>', '<https://a.com|a|b>', '<+123456|t>', '<https://a.com/x(y)|t>', '<https://a.com/x y|t>', '<a:b|t>', '<a.com|*t*>', '<a.com|@bob>', '<b>', '<br/>', '<a href="http://a.com">x</a>', '< a.com|t>', '<a.com|t', '<a.com/é|é>', '<script>x</script>', '<a.com|<b>>', '<a.com.|t>', '<:smile:1234>', '<@1234>', '<#1234>', '<!here>'],
	shortcode: [':smile:', ':+1:', ':-1:', ':heart_eyes:', ':a b:', ':100:', '::', ':x:', ':smile', 'smile:', ':smile::smile:', ':smile: :smile:', 'a:smile:', ':smile:a', ':smile:.', '(:smile:)', ':a.b:', ':SMILE:', ':привет:', ':smile:😀', ':::', ':a:b:', '10:30:45', ':smile:,', '*:smile:*', ':man-shrugging:', ':flag_us:', ':rocket: go', 'go :rocket:', ':smile:\n:smile:', ':smile: :smile: :smile: :smile:'],
	emoticon: [':)', ':(', ':D', ';)', '<3', ':P', 'D:', ':-)', '8)', ":'(", '>:(', '-_-', ':/', ':|', ':O', 'O_O', 'XD', 'X)', ':)a', 'a:)', 'a :)', ':) a', ':).', '(:)', ':))', ':):)', ':) :)', '>.<', '</3', ':*', '*)', ':]', '=)', ':-*', '(y)', ':@bob', ':#dev', ':$', '\\O/', '*\\0/*', '-__-', ':Þ', ';(', 'B)', '%)', "':)", 'https:/', ':)\n', ':)*a*', ':)_a_', ':)@bob', ':)https://a.com', ':)1', '0:)', ':^*', 'D:a', ':)😀', ':) :smile:'],
	unicode: ['😀', '👍🏽', '👨‍👩‍👧', '👨‍👩‍👧‍👦', '🇧🇷', '🇧🇷🇺🇸', '🇧', '❤️', '🎉', '☺', '🏳️‍🌈', '🫠', '™', '1️⃣', '#️⃣', '🚀', '🤷‍♂️', '🤷🏽‍♀️', '🤷🎉', 'a😀', '😀a', '😀😀', '😀 😀', '😀😀😀', '😀😀😀😀', '⌚', '✂️', '☎', '♀', '🅰', '🈂️', '㊗️', '⭐', '⬛', '👁️‍🗨️', '👩‍', '🏴‍☠️', '🏻', '😀.', '(😀)', '*😀*', '🧑‍💻', '🥇', '🦄', '\u200D', '\uFE0F', '❤', '↔️', '〰️', '🕵🏿‍♂️', '😀:smile:', '😀 :)', '🎉🎉 yay', '💩\n💩'],
	color: ['color:#fff', 'color:#ff0000', 'color:#FF000080', 'color:#f0f8', 'color:#12345', 'color:#ggg', 'color:#1234567', 'color:#123456789', 'color:fff', 'color: #fff', 'Color:#fff', 'acolor:#fff', 'a color:#fff', 'color:#fff b', 'color:#fff.', 'color:#fff)', 'color:#fff*', 'color:#fffa.com', 'color:#fff\nb', 'color:#ffcolor:#fff', 'color:#fff😀', '*color:#fff*', '||color:#fff||', 'color:#', 'color:#ff', 'color:#fff-', 'color:#ffhttps://a.com', 'color:#abc(', 'color:#00000000', 'color:#ABCDEF'],
	katex: ['\\(x^2\\)', '\\(a', '\\(\\)', '\\(a\nb\\)', 'a\\(x\\)b', '\\(*a*\\)', '\\(\\frac{1}{2}\\)', '\\(x\\) and \\(y\\)', '(x)', '\\\\(x\\\\)', '*\\(x\\)*', '||\\(x\\)||', '> \\(x\\)', '- \\(x\\)', '\\(\\(x\\)\\)', '\\( x \\)', '\\(x$', '\\(你好\\)', '\\)', '\\(@bob\\)'],
	katexBlock: ['\\[x^2\\]', '\\[a', '\\[\\]', '\\[a\nb\\]', '\\[x\\] y', '\\[\\int_0^1 x dx\\]', '\\[x\\]\ny', 'a\\[x\\]', '\\[x\\]\\[y\\]', ' \\[x\\]', '\\[x$$', '\\[*a*\\]\n> b', '\n\\[x\\]\n', '\\[\n\\frac{a}{b}\n\\]', '\\[你好\\]', '\\]'],
	dollar: ['$x$', '$$x$$', '$', '$$', '$$$', '$$$$', '$x', '$$x', '$5 and $6', 'a $x$ b', '$x\ny$', '$$x\ny$$', '$x\\)', '\\(x$', '\\[x$$', '$$x\\]', '*$x$*', '||$x$||', '$x$y$', '$ x $', 'US$5', '$a_b$', '$\\frac{1}{2}$', '$$\n\\sum_i\n$$', '> $x$', '- $x$', '# $x$', '$x$.', '$@bob$', '$你好$'],
	timestamp: ['<t:1700000000>', '<t:1700000000:R>', '<t:1708551317:t>', '<t:1708551317:T>', '<t:1708551317:d>', '<t:1708551317:D>', '<t:1708551317:f>', '<t:1708551317:F>', '<t:1700000000:X>', '<t:12>', '<t:170000000>', '<t:17000000000>', '<t:>', '<t:1700000000', '<t: 1700000000>', '<t:1700000000:>', '<t:2025-07-22T10:00:00+00:00:F>', '<t:2025-07-22T10:00:00>', '<t:2025-07-22T10:00:00.000+03:00:R>', '<t:2025-07-22T10:00:00.123>', '<t:2025-07-22T25:00:00>', '<t:2025-02-30T10:00:00-05:30>', '<t:2025-07-22>', '<t:10:00>', '<t:10:00:00>', '<t:10:00+02:00>', '<t:10:00:00-05:00:R>', '<t:10:00+2:00>', '<t:24:00+00:00>', '<t:2050-01-01T00:00:00+00:00>', '<t:1900-01-01T00:00:00+00:00:D>', '*<t:1700000000>*', '_<t:1700000000>_', '~<t:1700000000>~', '||<t:1700000000>||', 'a<t:1700000000>b', '<t:1700000000><t:1700000000:R>', '<T:1700000000>', '<t:2025-07-22T10:00:00+25:00>', '<t:1969-12-31T23:59:59.500+00:00>', '<t:2025-07-22T10:00:00Z>', '<t:99:99+00:00>'],
	escape: ['\\*a\\*', '\\_a\\_', '\\~a\\~', '\\`a\\`', '\\#a', '\\.', '\\\\', '\\a', '\\@bob', '\\[a](http://b.com)', '\\|a', '\\', '1\\. a', '\\# a', '\\- a', '\\> a', '*a\\*b*', '\\:)', 'C:\\dir\\*.txt', '¯\\_(ツ)_/¯'],
	stray: ['*', '_', '~', '`', '|', '||', '[', ']', '(', ')', '<', '>', '@', '#', ':', '\\', '**', '__', '~~', '](', '-', '+', '!', '.', '/', '***', '* * *', '---', '___', '===', '```', '| a | b |', '|---|---|', '&lt;', '<!-- a -->', '[ ]', '[x]', '{}', '{{a}}', '^a^', 'a^2', '1)', ';', '"', "'"],
};

/** Blocks; `%` stands for a line. */
export const blocks = {
	heading: ['# %', '## %', '### %', '#### %', '##### %', '###### %', '#%', '# ', '#', '#  %', '#\t%', ' # %', '# %\n', '# %\n%', '# %\n# %', '# %\n\n%', '%\n# %', '# %\n- %', '# %\r\n%', '# *%*', '# @bob', '# https://a.com', '# :)', '# 😀', '# a #', '# \n%'],
	quote: ['> %', '>%', '>  %', '>> %', '> > %', '>', '> ', '>\n', '> \n%', '> %\n> %', '> %\n%', '> %\n\n> %', '> %\n>\n> %', '%\n> %', ' > %', '> - %', '> # %', '> ```\n> %\n> ```', '> 1. %', '> - [ ] %', '> *%*', '> %\r\n> %', '>\t%', '> %\n', '> > %\n> %', '> https://a.com', '> @bob %'],
	list: ['- %', '- %\n- %', '* %', '* %\n* %', '- %\n* %', '-%', '*%', '-  %', '-\t%', '- ', '-', ' - %', '  - %', '- %\n  - %', '- %\n\n- %', '- %\n%', '%\n- %', '* %\n* a *b*', '* a*', '* *a*', '- *a*', '+ %', '• %', '- %\r\n- %', '- # %', '- > %', '- `%`', '-- %', '- - %', '* * *', '* a * b', '- %\n- %\n- %', '- @bob', '- https://a.com', '* :)', '- [%](http://a.com)'],
	ordered: ['1. %', '1. %\n2. %', '2. %\n1. %', '1.%', '1) %', '1.  %', '1.\t%', '1. ', '1.', ' 1. %', '10. %\n11. %', '0. %', '01. %', '99999999999. %', '123456789012345678901234. %', '1. %\n\n2. %', '1. %\n%', '%\n1. %', '1. %\r\n2. %', '1. %\n   - %', '- %\n1. %', '1. 2. %', '1.1. %', '1.5 %', '1. *%*', '1. @bob', '1. [%](http://a.com)', 'a. %', '-1. %', '1 . %', '١. %'],
	tasks: ['- [ ] %', '- [x] %', '- [X] %', '- [ ] %\n- [x] %', '- [] %', '- [ ]%', '- [ ]', '- [ ] ', '* [ ] %', ' - [ ] %', '- [ ] %\n- %', '- %\n- [ ] %', '-[ ] %', '- [y] %', '- [ ]  %', '- [x]\t%', '- [ ] %\n\n- [x] %', '%\n- [x] %', '- [x] %\r\n- [ ] %', '- [x] *%*', '- [ ] @bob', '- [ ] https://a.com', '- [x] [%](http://a.com)', '- [ ] - [ ] %', '1. [ ] %', '- [  ] %', '- [ ] :)', '- [x] ~%~'],
	fence: ['```\n%\n```', '```js\n%\n```', '```rust\nfn main() {}\n```', '```c++\n%\n```', '```\n\n%\n```', '```\n\n\n%\n```', '```\n%\n\n%\n```', '```\n%\n\n```', '```\n```', '```%```', '```\n%```', '```\n%', '```js %\n%\n```', '``` js\n%\n```', '%\n```\n%\n```', '```\n%\n```\n%', '```\n%\n```%', '```\n%\n``` %', '```\r\n%\r\n```', '```\r\n%\r\n%\r\n```', '```\r\n%\n%\r\n```', ' ```\n%\n```', '````\n%\n````', '```\n  %\n\t%\n```', '```\n`%`\n```', '```\n``%``\n```', '```\n%\n```\n```\n%\n```', '~~~\n%\n~~~', '```python\nfor i in range(3):\n    print(i)\n```', '```json\n{"a": [1, 2]}\n```', '```\n<b>\n```', '```diff\n- a\n+ b\n```', '```\n%\n ```', '```shell-session\n$ ls\n```', '```objective_c\n%\n```', '```a.b\n%\n```'],
	spoilerBlock: ['||\n%\n||', '||\n%\n%\n||', '||%\n||', '||\n%||', '||\n\n||', '||\n||', '||\n%\n\n||', '||\n\n%\n||', '||\n%\n\n%\n||', '||\n%\n|| %', '||\n%\n||\n%', '%\n||\n%\n||', '||\r\n%\r\n||', '||\n*%*\n||', '||\n> %\n||', '||\n- %\n||', '||\n```\n%\n```\n||', '|| \n%\n||', '||\n%\n ||', '||\n||a||\n||', '||\n@bob\n||', '||\nhttps://a.com\n||', '||\n%', '||\n# %\n||', '||\n%\n||\n||\n%\n||'],
	lines: ['%\n%', '%\n\n%', '%\n\n\n%', '\n%', '\n\n%', '%\n', '%\n\n', ' %', '% ', '  %  ', '\t%', '%\t', '%\r\n%', '%\r%', '%\r\n\r\n%', '%\n \n%', '%\n\t\n%', '%  \n%', '%\\\n%', '\n', ' ', '\t', '\r\n', '\n\n\n', ' \n ', '%\u2028%', '%\u00A0%', '%\u3000%', '\u200B%', '\uFEFF%', '%\u0000%', '%\u0007%', '%\v%', '%\f%', '%\u007F%', '%\u0085%', '\uFFFD%', '%\u202E%'],
	table: ['| a | b |\n|---|---|\n| % | % |', 'a | b\n--- | ---\n% | %', '%\n===\n%', '%\n---\n%', '---', '***', '___', '[^1]: %', '%[^1]', '<details>\n%\n</details>', '==%==', '^%^', 'H~2~O', '[%]: http://a.com', '![%][x]', '<u>%</u>', '&amp; %', 'term\n: %', '%<br>%', '$ %'],
};

const around = ['%', '%', '%', 'x %', '% y', 'x % y', '(%)', '%.', '%, z', 'a%', '%b', '"%"', '*%*', '_%_', '~%~', '||%||', '[%](http://l.com)', '- %', '* %', '1. %', '> %', '- [x] %', '# %', '%\nz', 'x\n%', '%%', '% %', ':) %', '%:)', '😀%', '%😀', '@bob %', '%@bob', '%#dev', 'é%', '%é', 'Привет %', '% 你好', 'مرحبا%', '\\%', '%!', '%?', '`%`', '% ', ' %', '+%', '%1', '_%', '%_', '*%', '%*', '~%', '%~'];

export function corpus(seed, count) {
	const { below, pick } = chance(seed);
	const out = [];
	const add = (kind, text, set = 'server') => out.push([kind, text, set]);
	const kinds = Object.keys(fragments);
	const fragment = () => pick(fragments[pick(kinds)]);
	const line = (n) => {
		const parts = [];
		for (let i = 1 + below(n); i > 0; i--) parts.push(below(2) ? pick(words) : fragment());
		return parts.join(pick([' ', ' ', ' ', ' ', '']));
	};
	const fill = (template, make) => template.replace(/%/g, () => make());
	for (const text of JSON.parse(readFileSync(join(here, 'cases.json'), 'utf8'))) add('case', text);
	for (const kind of kinds) {
		const set = kind === 'dollar' ? 'dollar' : 'server';
		for (const text of fragments[kind]) add(kind, text, set);
		for (let i = Math.max(60, fragments[kind].length); i > 0; i--) {
			const it = pick(fragments[kind]);
			add(kind, fill(pick(around), () => it), set);
		}
	}
	for (const [kind, templates] of Object.entries(blocks)) {
		for (const template of templates) {
			add(kind, fill(template, () => pick(words)));
			for (let i = 0; i < 2; i++) add(kind, fill(template, () => line(3)));
		}
	}
	// Every construct under every set of options.
	for (const set of Object.keys(options)) {
		for (const kind of ['color', 'emoticon', 'katex', 'katexBlock', 'dollar', 'domain', 'url', 'email']) {
			for (let i = 0; i < 15; i++) add(`options ${set}`, fill(pick(around), () => pick(fragments[kind])), set);
		}
	}
	const sets = Object.keys(options);
	while (out.length < count) {
		const set = below(4) ? 'server' : pick(sets);
		const what = below(10);
		if (what < 4) add('line', line(6), set);
		else if (what < 7) {
			const parts = [];
			for (let i = 1 + below(3); i > 0; i--) parts.push(fill(pick(blocks[pick(Object.keys(blocks))]), () => line(3)));
			add('blocks', parts.join('\n'), set);
		} else add('mutated', mutate(pick(out)[1], below, pick, fragment), set);
	}
	return out;
}

function mutate(text, below, pick, fragment) {
	const chars = [...text];
	for (let i = 1 + below(3); i > 0; i--) {
		const at = below(chars.length + 1);
		const what = below(4);
		if (what === 0) chars.splice(at, 1);
		else if (what === 1) chars.splice(at, 0, fragment());
		else if (what === 2) chars.splice(at, 0, pick([...'*_~`|[]()<>@#:\\-+!. \n$']));
		else chars.splice(at, 0, ...chars.slice(at, at + 1 + below(4)));
	}
	return chars.join('');
}

/** Text of marks, letters and addresses in any order. */
export function random(seed, count) {
	const { below, pick } = chance(seed);
	const marks = [...'*_~`|[]()<>@#:\\-+!./\n \t$=&%\'";,?{}^', '**', '__', '~~', '||', '](', '](http://', '![', '```', '\n\n', '\r\n', '- ', '* ', '1. ', '> ', '# ', '- [ ] ', '\\(', '\\)', '<t:', 'color:#', '://', '.com', '@', ':)', ':a:', 'a', 'b', 'c', 'x', '1', '12345', 'f', 'é', 'ж', '中', 'ا', 'ש', 'न', 'ส', '😀', '👍🏽', '❤️', '\u200D', ' ', ' ', ' '];
	const sets = Object.keys(options);
	const out = [];
	while (out.length < count) {
		let text = '';
		for (let i = 1 + below(pick([4, 8, 16, 30])); i > 0; i--) text += below(8) ? pick(marks) : pick(fragments[pick(Object.keys(fragments))]);
		out.push(['random', text, below(4) ? 'server' : pick(sets)]);
	}
	return out;
}
