// Compares the trees of this crate with those of the npm package
// `@rocket.chat/message-parser`, byte for byte.
//
//   PARLANCE_TEXT_PEER=<node_modules dir> node compare.mjs <tree binary>
//
// `<tree binary>` is the built example `tree`. Two parts: the corpus (seed 1,
// or PARLANCE_TEXT_CORPUS) and random markup (seed 1, or PARLANCE_TEXT_SEED).
// PARLANCE_TEXT_COUNT sets how many messages of each; SHOW how many differences
// are printed. Ends with status 1 when a part has fewer than 99.5 % equal trees,
// more differences of no listed class than the allowance, or too few messages
// of some node type.

import { spawnSync } from 'node:child_process';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { corpus, options, random } from './corpus.mjs';

// Dates without an offset are read in local time, and a time of day on the
// current day: both are held still.
process.env.TZ = 'UTC';
const NOW = 1_790_000_000;
globalThis.Date = class extends Date {
	constructor(...parts) {
		super(...(parts.length ? parts : [NOW * 1000]));
	}
};

const peer = process.env.PARLANCE_TEXT_PEER;
const binary = process.argv[2];
if (!peer || !binary) {
	console.error('usage: PARLANCE_TEXT_PEER=<node_modules> node compare.mjs <tree binary>');
	process.exit(2);
}
const { parse } = createRequire(join(peer, 'x.js'))('@rocket.chat/message-parser');

const EQUAL = 0.995;
/** Differences of no listed class, of all messages of a part. */
const ALLOWED = 0.0002;
const PER_TYPE = 60;
const TYPES = ['PARAGRAPH', 'PLAIN_TEXT', 'BOLD', 'ITALIC', 'STRIKE', 'INLINE_CODE', 'CODE', 'CODE_LINE', 'LINE_BREAK', 'HEADING', 'ORDERED_LIST', 'UNORDERED_LIST', 'LIST_ITEM', 'TASKS', 'TASK', 'QUOTE', 'SPOILER', 'SPOILER_BLOCK', 'COLOR', 'KATEX', 'INLINE_KATEX', 'TIMESTAMP', 'EMOJI', 'EMOJI unicode', 'BIG_EMOJI', 'IMAGE', 'LINK', 'LINK markdown', 'LINK url', 'LINK domain', 'LINK e-mail', 'LINK phone', 'MENTION_USER', 'MENTION_CHANNEL'];

/** The classes of differences that are known; README.md says why. */
const CLASSES = [
	['script scheme', (text) => /(javascript|vbscript|data):/i.test(text)],
];

function countTypes(tree, types) {
	const walk = (node) => {
		if (Array.isArray(node)) node.forEach(walk);
		else if (node && typeof node === 'object') {
			if (node.type) types.add(node.type);
			if (node.unicode) types.add('EMOJI unicode');
			if (node.type === 'LINK') types.add(`LINK ${linkKind(node.value)}`);
			Object.values(node).forEach(walk);
		}
	};
	walk(tree);
}

function linkKind({ src: { value: src }, label }) {
	const shown = label.length === 1 && label[0].type === 'PLAIN_TEXT' ? label[0].value : '';
	if (src === `mailto:${shown}`) return 'e-mail';
	if (src.startsWith('tel:') && shown.startsWith('+')) return 'phone';
	if (src === `//${shown}`) return 'domain';
	return src === shown ? 'url' : 'markdown';
}

function theirs(text, set) {
	// What stood before an emoji is remembered from one message to the next;
	// this one leaves the state of a new process.
	parse('*_a_*', options.server);
	try {
		return parse(text, options[set]);
	} catch {
		return null;
	}
}

/** Compares one part; whether it is good. */
function run(name, messages, needTypes) {
	const input = messages.map(([, text, set]) => JSON.stringify([text, options[set], NOW])).join('\n') + '\n';
	const done = spawnSync(binary, [], { input, encoding: 'utf8', maxBuffer: 1 << 30 });
	if (done.status !== 0) {
		console.error(done.stderr);
		process.exit(2);
	}
	const ours = done.stdout.split('\n');
	const kinds = new Map();
	const types = new Map(TYPES.map((type) => [type, 0]));
	const classes = new Map(CLASSES.map(([label]) => [label, 0]));
	const unlisted = [];
	messages.forEach(([kind, text, set], i) => {
		const tree = theirs(text, set);
		const seen = new Set();
		countTypes(tree, seen);
		for (const type of seen) types.set(type, (types.get(type) ?? 0) + 1);
		const printed = JSON.stringify(tree);
		const same = printed === ours[i];
		const [good, all] = kinds.get(kind) ?? [0, 0];
		kinds.set(kind, [good + (same ? 1 : 0), all + 1]);
		if (same) return;
		const known = CLASSES.find(([, is]) => is(text));
		if (known) classes.set(known[0], classes.get(known[0]) + 1);
		else unlisted.push([kind, set, text, printed, ours[i]]);
	});
	const listed = [...classes.values()].reduce((a, b) => a + b, 0);
	const equal = messages.length - listed - unlisted.length;
	console.log(`${name}: ${equal} of ${messages.length} trees equal (${((100 * equal) / messages.length).toFixed(3)} %)`);
	const row = (map, show) => console.log(`  ${[...map].map(([key, value]) => `${key} ${show(value)}`).join(', ')}`);
	row(kinds, ([good, all]) => `${good}/${all}`);
	if (needTypes) row(types, String);
	row(new Map([...classes, ['no listed class', unlisted.length]]), String);
	for (const [kind, set, text, his, mine] of unlisted.slice(0, Number(process.env.SHOW ?? 10))) {
		console.log(`${kind} (${set}) ${JSON.stringify(text)}\n  theirs ${his}\n  ours   ${mine}`);
	}
	const few = needTypes ? [...types].filter(([, n]) => n < PER_TYPE).map(([type]) => type) : [];
	if (few.length) console.log(`fewer than ${PER_TYPE} messages of ${few.join(', ')}`);
	return equal >= EQUAL * messages.length && unlisted.length <= ALLOWED * messages.length && !few.length;
}

const count = Number(process.env.PARLANCE_TEXT_COUNT ?? 12000);
const [first, second] = [process.env.PARLANCE_TEXT_CORPUS ?? '1', process.env.PARLANCE_TEXT_SEED ?? '1'];
const good = [
	run(`corpus, seed ${first}`, corpus(first, count), true),
	run(`random, seed ${second}`, random(second, count), false),
];
process.exit(good.every(Boolean) ? 0 : 1);
