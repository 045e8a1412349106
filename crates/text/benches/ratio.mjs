// Times the npm package on the texts of the benchmark and prints how many times
// longer it takes than the crate took in the criterion run before.
//
//   node ratio.mjs <node_modules> <criterion directory>

import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const [peer, criterion] = process.argv.slice(2);
const { parse } = createRequire(join(peer, 'x.js'))('@rocket.chat/message-parser');
const options = { colors: true, emoticons: true, katex: { parenthesisSyntax: true, dollarSyntax: false }, customDomains: [] };
const texts = JSON.parse(readFileSync(join(dirname(fileURLToPath(import.meta.url)), 'texts.json'), 'utf8'));

/** Microseconds of one call, the best of ten rounds after a warm-up. */
function time(text) {
	const call = () => JSON.stringify(parse(text, options));
	const rounds = Math.max(20, Math.ceil(60_000 / text.length));
	for (let i = 0; i < rounds; i++) call();
	let best = Infinity;
	for (let round = 0; round < 10; round++) {
		const from = process.hrtime.bigint();
		for (let i = 0; i < rounds; i++) call();
		best = Math.min(best, Number(process.hrtime.bigint() - from) / rounds / 1000);
	}
	return best;
}

console.log('| class | bytes | crate µs | original µs | ratio |\n|---|---|---|---|---|');
for (const [name, text] of Object.entries(texts)) {
	const file = join(criterion, 'parse', name, 'new', 'estimates.json');
	const ours = JSON.parse(readFileSync(file, 'utf8')).median.point_estimate / 1000;
	const theirs = time(text);
	console.log(`| ${name} | ${Buffer.byteLength(text)} | ${ours.toFixed(2)} | ${theirs.toFixed(1)} | ${(theirs / ours).toFixed(0)} |`);
}
