// Times mingo on what the benchmark wrote out, and prints it beside what criterion measured.
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { pathToFileURL } from 'node:url';

const [modules, target] = process.argv.slice(2);
const found = createRequire(pathToFileURL(`${modules}/`)).resolve('mingo');
const { Query } = await import(pathToFileURL(found));

function revive(value) {
  if (Array.isArray(value)) return value.map(revive);
  if (value === null || typeof value !== 'object') return value;
  if ('$date' in value) return new Date(value.$date);
  return Object.fromEntries(Object.entries(value).map(([k, v]) => [k, revive(v)]));
}

// The median of rounds of at least 20 ms each, after a second of warming up.
function nanoseconds(work) {
  const round = (ms) => {
    const start = process.hrtime.bigint();
    let runs = 0;
    let passed;
    do {
      work();
      runs += 1;
      passed = Number(process.hrtime.bigint() - start);
    } while (passed < ms * 1e6);
    return passed / runs;
  };
  round(1000);
  const rounds = Array.from({ length: 25 }, () => round(20)).sort((a, b) => a - b);
  return rounds[12];
}

console.log('documents  filter                us/document   mingo   documents/s    mingo      ratio');
for (const size of ['256', '10000']) {
  const { docs: raw, filters, sort, page } = JSON.parse(
    readFileSync(`${target}/query-bench/${size}.json`, 'utf8'),
  );
  const docs = revive(raw);
  const cases = filters.map(([name, text]) => {
    const query = new Query(revive(JSON.parse(text)));
    return [name, () => docs.reduce((n, doc) => n + (query.test(doc) ? 1 : 0), 0)];
  });
  const everything = new Query({});
  const keys = JSON.parse(sort);
  cases.push(['sort and limit', () => everything.find(docs).sort(keys).limit(page).all()]);
  for (const [name, work] of cases) {
    const path = `${target}/criterion/${size}/${name}/new/estimates.json`;
    const ours = JSON.parse(readFileSync(path, 'utf8')).median.point_estimate / docs.length;
    const theirs = nanoseconds(work) / docs.length;
    const perSecond = (ns) => Math.round(1e9 / ns).toLocaleString('en').padStart(12);
    console.log(
      `${size.padStart(9)}  ${name.padEnd(20)} ${(ours / 1000).toFixed(4).padStart(12)} ` +
        `${(theirs / 1000).toFixed(4).padStart(8)} ${perSecond(ours)} ${perSecond(theirs)} ` +
        `${(theirs / ours).toFixed(1).padStart(7)}`,
    );
  }
}
