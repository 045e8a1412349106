// Answers cases with mingo: one set of documents and its cases per line in, one line of answers out.
//
// Extended JSON becomes what mingo knows: dates are Date, object ids their text, patterns RegExp.
// `$comment` is left out, which mingo does not have; so is nothing else.
import { createInterface } from 'node:readline';
import { createRequire } from 'node:module';
import { pathToFileURL } from 'node:url';

// mingo is not installed beside this file: the first argument is the directory that has it.
const found = createRequire(pathToFileURL(`${process.argv[2]}/`)).resolve('mingo');
const { Query } = await import(pathToFileURL(found));

function revive(value) {
  if (Array.isArray(value)) return value.map(revive);
  if (value === null || typeof value !== 'object') return value;
  const keys = Object.keys(value);
  const first = keys[0];
  const inner = value[first];
  if (keys.length === 1) {
    if (first === '$date') {
      return new Date(typeof inner === 'object' ? Number(inner.$numberLong) : inner);
    }
    if (first === '$oid') return inner;
    if (['$numberInt', '$numberLong', '$numberDouble'].includes(first)) return Number(inner);
    if (first === '$regularExpression') return new RegExp(inner.pattern, inner.options);
  }
  const out = {};
  for (const key of keys) if (key !== '$comment') out[key] = revive(value[key]);
  return out;
}

function plain(value) {
  if (value instanceof Date) return { $date: value.getTime() };
  // Merging projections of one array, mingo takes strings apart.
  if (typeof value === 'string') return Buffer.from(value).toString();
  if (Array.isArray(value)) return value.map(plain);
  if (value === null || typeof value !== 'object') return value;
  return Object.fromEntries(Object.entries(value).map(([k, v]) => [k, plain(v)]));
}

function attempt(what) {
  try {
    return what();
  } catch (error) {
    return { error: String(error) };
  }
}

function answer(docs, kase) {
  if (kase.filter) {
    const query = new Query(revive(kase.filter));
    return docs.map((doc) => (query.test(doc) ? '1' : '0')).join('');
  }
  if (kase.sort) {
    const some = kase.of.map((i) => docs[i]);
    const cursor = new Query({}).find(some);
    if (kase.sort.length > 0) cursor.sort(Object.fromEntries(kase.sort));
    return cursor.all().map((doc) => docs.indexOf(doc));
  }
  // A projection of mingo's changes the document it is given, and some documents it throws at.
  return docs.map((doc) =>
    attempt(() => plain(new Query({}).find([structuredClone(doc)], kase.fields).all()[0])),
  );
}

for await (const line of createInterface({ input: process.stdin })) {
  const { docs, cases } = JSON.parse(line);
  const revived = docs.map(revive);
  const answers = cases.map((kase) => attempt(() => answer(revived, kase)));
  process.stdout.write(`${JSON.stringify(answers)}\n`);
}
