// Compares the trees of this crate with those of the npm package
// `@rocket.chat/message-parser` on a generated corpus.
//
//   PARLANCE_TEXT_PEER=<node_modules dir> node compare.mjs <tree binary> [seed] [count]
//
// `<tree binary>` is the built example `tree`. Prints agreement per class of
// message and the first differences; ends with status 1 under 99.5 %.

import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';

const peer = process.env.PARLANCE_TEXT_PEER;
const [binary, seedText = '1', countText = '4000'] = process.argv.slice(2);
if (!peer || !binary) {
	console.error('usage: PARLANCE_TEXT_PEER=<node_modules> node compare.mjs <tree binary> [seed] [count]');
	process.exit(2);
}
const { parse } = createRequire(join(peer, 'x.js'))('@rocket.chat/message-parser');
const options = { colors: true, emoticons: true, katex: { parenthesisSyntax: true, dollarSyntax: false }, customDomains: [] };

let state = Number(seedText) >>> 0;
function below(n) {
	state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
	return Math.floor((state / 2 ** 32) * n);
}
const pick = (list) => list[below(list.length)];

const words = ['a', 'hello', 'World', 'ok', 'Привет', 'שלום', '你好', 'مرحبا', 'été', 'x1', '42', "don't", 'snake_case', 'semi;colon', 'and/or', 'e.g.', 'v1.2.3', 'end.', 'what?', 'wow!', '(aside)', '10:30', '50%', '"quoted"', 'file.txt', 'readme.md', 'C++', 'a-b', '$5', 'x=y', '&', 'नमस्ते', 'สวัสดี'];
const make = {
	plain: () => pick(words),
	bold: () => pick(['*', '**']) + inner() + pick(['*', '**', '*']),
	italic: () => pick(['_', '__', '_']) + inner() + pick(['_', '__', '_']),
	strike: () => pick(['~', '~~']) + inner() + pick(['~', '~~']),
	spoiler: () => `||${inner()}||`,
	code: () => '`' + pick(['a', 'let x = 1;', '*b*', '@user', 'a b', ' ']) + '`',
	mention: () => '@' + pick(['bob', 'all', 'here', 'test.john', 'a-b_c', 'bob.', 'user@server.com', 'u:matrix.org', 'jürgen']),
	channel: () => '#' + pick(['general', 'dev-ops', 'a.b', 'x_y', 'канал']),
	url: () => pick(['https://example.com', 'http://example.com/a/b?c=d&e=f#g', 'https://github.com/RocketChat/Rocket.Chat/releases/tag/6.2.8', 'https://en.wikipedia.org/wiki/Foo_(bar)', 'google.com', 'www.example.org/path', 'http://localhost:3000', 'ftp://files.example.net', 'https://u:p@example.com/x', '192.168.0.1', 'sub.domain.co.uk', 'https://a.com/x_y_z', 'example.com:8080/x']) + pick(['', '', '', '.', ',', '!', ')', '/', '?']),
	email: () => pick(['a@b.com', 'first.last@example.co.uk', 'x+tag@mail.org', 'mailto:q@w.de', 'no@tld']) + pick(['', '', '.', ',']),
	phone: () => pick(['+5511999998888', '+1-5551234', '+(12)34567', '+12', '+123456']),
	link: () => `[${pick(['t', 'a *b* c', 'two words', '', '_i_', 'x_y', ':smile:'])}](${pick(['https://example.com', 'http://a.com/x(y)', 'example.com', 'mailto:a@b.com', 'notalink', '+123456', '/rel'])})`,
	image: () => `![${pick(['alt', '', 'two words'])}](${pick(['https://example.com/a.png', 'a.com/b.jpg', 'x'])})`,
	angle: () => `<${pick(['https://example.com', 'a.com', 'x', 'mailto:a@b.com'])}|${pick(['t', 'two words', ''])}>`,
	shortcode: () => pick([':smile:', ':+1:', ':heart_eyes:', ':a b:', ':100:', '::', ':x:']),
	emoticon: () => pick([':)', ':(', ':D', ';)', '<3', ':P', 'D:', ':-)', '8)', ":'(", '>:(', '-_-', ':/']),
	unicode: () => pick(['😀', '👍🏽', '👨‍👩‍👧', '🇧🇷', '❤️', '🎉', '☺', '🏳️‍🌈', '🫠', '™', '1️⃣', '🚀', '🤷‍♂️']),
	color: () => 'color:#' + pick(['fff', 'ff0000', 'FF000080', '12345', 'ggg']),
	katex: () => pick(['\\(x^2\\)', '\\[y\\]', '\\(a', '\\(\\)']),
	timestamp: () => `<t:${pick(['1700000000', '1700000000:R', '12', '2025-07-22T10:00:00+00:00:F', '1700000000:X', '10:00'])}>`,
	escape: () => '\\' + pick(['*', '_', '~', '`', '#', '.', '\\', 'a', '@', '[']),
	stray: () => pick(['*', '_', '~', '`', '|', '||', '[', ']', '(', ')', '<', '>', '@', '#', ':', '\\', '**', '__', '~~', '](', '-', '+', '!', '.', '/']),
};
const kinds = Object.keys(make);
const fences = [
	() => '```' + pick(['', 'js', 'rust', ' c', 'c++']) + '\n' + pick(['code', 'a\nb', '', '*x*\n\n@y', ' a', '`x`']) + pick(['\n```', '\n```', '```', '']),
	() => `||\n${line(3)}\n||`,
	() => `\\[${pick(['x', 'a\nb', ''])}\\]`,
];
const starts = ['> ', '>', '- ', '* ', '1. ', '2. ', '# ', '## ', '#### ', '##### ', '- [ ] ', '- [x] ', '- [X] ', '1) ', ' - ', '  ', '>> '];

function inner() {
	const n = 1 + below(3);
	const parts = [];
	for (let i = 0; i < n; i++) parts.push(make[below(3) ? 'plain' : pick(kinds)]());
	return parts.join(pick([' ', ' ', '']));
}
function line(n) {
	const parts = [];
	for (let i = 1 + below(n); i > 0; i--) parts.push(make[below(2) ? 'plain' : pick(kinds)]());
	return parts.join(pick([' ', ' ', ' ', '']));
}
function mutate(text) {
	const chars = [...text];
	for (let i = 1 + below(2); i > 0; i--) {
		const at = below(chars.length + 1);
		const what = below(3);
		if (what === 0) chars.splice(at, 1);
		else if (what === 1) chars.splice(at, 0, make[pick(kinds)]());
		else chars.splice(at, 0, pick([...'*_~`|[]()<>@#:\\-+!. \n']));
	}
	return chars.join('');
}

const corpus = [];
const add = (kind, text) => corpus.push([kind, text]);
const cases = join(import.meta.dirname, 'cases.json');
for (const text of JSON.parse(readFileSync(cases, 'utf8'))) add('case', text);
for (const kind of kinds) for (let i = 0; i < 60; i++) add(kind, pick(['', 'x ', '(', 'so ', '\n', '- ', '> ']) + make[kind]() + pick(['', ' y', ')', '.', '\nz']));
for (const start of starts) for (let i = 0; i < 30; i++) add('block', start + line(4) + (below(2) ? '\n' + pick(starts) + line(3) : ''));
for (let i = 0; i < 120; i++) add('fence', (below(3) ? '' : line(2) + '\n') + pick(fences)() + pick(['', '\n', ' x', '\n' + line(2), '\n\nz']));
const count = Number(countText);
while (corpus.length < count) {
	const lines = [];
	for (let i = 1 + below(3); i > 0; i--) lines.push((below(5) ? '' : pick(starts)) + (below(12) ? line(6) : ''));
	const text = lines.join('\n');
	if (below(4)) add('mixed', text);
	else add('mutated', mutate(text));
}

const input = corpus.map(([, text]) => JSON.stringify(text)).join('\n') + '\n';
const run = spawnSync(binary, [], { input, encoding: 'utf8', maxBuffer: 1 << 30 });
if (run.status !== 0) {
	console.error(run.stderr);
	process.exit(2);
}
const ours = run.stdout.split('\n');
const tally = new Map();
const differences = [];
corpus.forEach(([kind, text], i) => {
	let theirs;
	try {
		theirs = JSON.stringify(parse(text, options));
	} catch {
		theirs = 'null';
	}
	const [good, all] = tally.get(kind) ?? [0, 0];
	const same = theirs === ours[i];
	tally.set(kind, [good + (same ? 1 : 0), all + 1]);
	if (!same) differences.push([kind, text, theirs, ours[i]]);
});
console.log(`seed ${seedText}: ${corpus.length - differences.length} of ${corpus.length} trees equal`);
for (const [kind, [good, all]] of tally) console.log(`  ${kind}: ${good}/${all}`);
for (const [kind, text, theirs, mine] of differences.slice(0, Number(process.env.SHOW ?? 10))) {
	console.log(`${kind} ${JSON.stringify(text)}\n  theirs ${theirs}\n  ours   ${mine}`);
}
process.exit(differences.length > corpus.length * 0.005 ? 1 : 0);
