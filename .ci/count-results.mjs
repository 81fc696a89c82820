/**
 * Counts what `.ci/run` did, from machine-readable reports and exit codes, and prints the last line. A step that left no
 * report, or whose exit code says failure where its report says none, counts as one failure: silence is not success.
 *
 * Plain JavaScript for Node 20: it must also run when the installation of everything newer has failed.
 */
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

const folder = process.argv[2] ?? '.';
let passed = 0;
let skipped = 0;
const failures = [];

countCheck();
countTests();
countDemo();
countPackages();
countModel();

console.log('');
for (const failure of failures) console.log(`FAILED  ${failure}`);
if (skipped > 0) console.log(`${skipped} tests skipped on this machine`);
console.log(`${passed} passed, ${failures.length} failed`);
process.exitCode = failures.length > 0 ? 1 : 0;

/** One per task of `turbo run`. */
function countCheck() {
  const exitCode = readExitCode('check');
  const tasks = readSummaries().flatMap((summary) => summary.tasks ?? []);
  const failed = tasks.filter((task) => task.execution?.exitCode !== 0);
  passed += tasks.length - failed.length;
  for (const task of failed) failures.push(`check ${String(task.task ?? task.taskId)}`);
  if (tasks.length === 0) failures.push(`check: no step ran (exit code ${exitCode})`);
  else if (exitCode !== 0 && failed.length === 0) failures.push(`check: exit code ${exitCode}`);
}

function countTests() {
  const exitCode = readExitCode('test');
  const report = readJson(join(folder, 'vitest.json'));
  if (report === undefined) {
    failures.push(`test: no report (exit code ${exitCode})`);
    return;
  }
  let ran = 0;
  const failuresBefore = failures.length;
  for (const file of report.testResults ?? []) {
    const tests = file.assertionResults ?? [];
    const failed = tests.filter((test) => test.status === 'failed');
    const ok = tests.filter((test) => test.status === 'passed');
    ran += failed.length + ok.length;
    passed += ok.length;
    skipped += tests.length - failed.length - ok.length;
    for (const test of failed) failures.push(`test ${file.name} > ${test.fullName}`);
    // A file that could not be loaded, or whose hooks failed, has no failed test to count.
    if (file.status === 'failed' && failed.length === 0) failures.push(`test file ${file.name}`);
  }
  if (ran === 0) failures.push('test: no test ran');
  else if (exitCode !== 0 && failures.length === failuresBefore) failures.push(`test: exit code ${exitCode}`);
}

/** The demo says itself whether all is well: by its exit code, and in the object on its last line. */
function countDemo() {
  const exitCode = readExitCode('demo');
  const lastLine = readText(join(folder, 'demo.out'))?.trim().split('\n').at(-1) ?? '';
  const verdict = parseJson(lastLine);
  if (exitCode === 0 && verdict?.treeMatches === true && verdict.lost === 0 && verdict.outOfOrder === 0)
    passed += 1;
  else
    failures.push(
      `demo: exit code ${exitCode}, ${verdict === undefined ? 'no verdict' : `verdict ${lastLine}`}`,
    );
}

/** The packed packages, installed elsewhere: their program says what came through. */
function countPackages() {
  const exitCode = readExitCode('packages');
  const lastLine = readText(join(folder, 'packages.out'))?.trim().split('\n').at(-1) ?? '';
  if (exitCode === 0 && lastLine.includes('100 of 100 records')) passed += 1;
  else failures.push(`packages: exit code ${exitCode}, last line: ${lastLine}`);
}

/** The model checker: its last line says how many searches ended otherwise than expected, unfinished ones among them. */
function countModel() {
  const exitCode = readExitCode('model');
  const lastLine = readText(join(folder, 'model.out'))?.trim().split('\n').at(-1) ?? '';
  const verdict = parseJson(lastLine);
  if (exitCode === 0 && verdict?.checked > 0 && verdict.surprises === 0) passed += 1;
  else
    failures.push(
      `model: exit code ${exitCode}, ${verdict === undefined ? 'no verdict' : `${verdict.surprises} of ${verdict.checked} searches surprised`}`,
    );
}

function readExitCode(step) {
  const text = readText(join(folder, `${step}.exit`))?.trim();
  return text === undefined || text === '' ? 'missing' : Number(text);
}

function readSummaries() {
  const runs = join(folder, 'turbo-runs');
  if (!existsSync(runs)) return [];
  return readdirSync(runs).flatMap((name) => readJson(join(runs, name)) ?? []);
}

function readJson(path) {
  const text = readText(path);
  return text === undefined ? undefined : parseJson(text);
}

function parseJson(text) {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

function readText(path) {
  return existsSync(path) ? readFileSync(path, 'utf8') : undefined;
}
