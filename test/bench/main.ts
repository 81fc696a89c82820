/**
 * `pnpm bench`: the product and its peers, by turns, on one Redis server. What counts are ratios; the absolute figures
 * say more about the machine.
 */
import { readFile } from 'node:fs/promises';
import { startRedis } from '@millrace/testkit';
import { Redis } from 'ioredis';
import { describeMachine } from './report/machine.ts';
import { isReached, parseResult, type BenchResult } from './report/result.ts';
import { withoutFigure, type BenchRow } from './report/row.ts';
import { renderTable } from './report/table.ts';
import { writeDocumentation } from './report/write-documentation.ts';
import { rowDefinitions, ROW_IDS } from './rows/index.ts';
import { Bench } from './run/bench.ts';
import { parseCommand, USAGE, type BenchOptions } from './run/options.ts';
import { createProgress } from './run/progress.ts';

async function run(options: BenchOptions): Promise<BenchResult> {
  const definitions = rowDefinitions(options.only);
  const startedMs = performance.now();
  // Nothing is written to disk: what is compared is the same server for all, without what a disk adds.
  await using redis = await startRedis({ directives: { appendonly: 'no', save: '' } });
  const control = new Redis(redis.url);
  const progress = createProgress(definitions.length, process.stderr);
  const bench = new Bench({ ...options, redis, control, progress });
  const rows: BenchRow[] = [];
  try {
    for (const definition of definitions) {
      progress.row(definition.title, definition.steps(bench));
      try {
        rows.push(...(await definition.run(bench)));
      } catch (error) {
        rows.push(failedRow(definition.id, definition.title, error));
      }
      await bench.clear();
    }
    progress.end();
    return {
      version: 1,
      date: new Date().toISOString().slice(0, 10),
      machine: await describeMachine(control),
      rounds: options.rounds,
      scale: options.scale,
      seconds: (performance.now() - startedMs) / 1_000,
      rows,
    };
  } finally {
    control.disconnect();
  }
}

/** A side that does not do the whole job is a row that failed; the others can still be measured. */
function failedRow(id: string, measure: string, error: unknown): BenchRow {
  const why = error instanceof Error ? error.message : String(error);
  return withoutFigure({ id, measure, unit: '', target: { atLeast: 0 }, settings: {} }, '', 'failed', why);
}

async function main(): Promise<number> {
  const command = parseCommand(process.argv.slice(2), ROW_IDS);
  switch (command.kind) {
    case 'help':
      process.stdout.write(USAGE);
      return 0;
    case 'list':
      process.stdout.write(`${ROW_IDS.join('\n')}\n`);
      return 0;
    case 'refused':
      process.stderr.write(`${command.why}\n\n${USAGE}`);
      return 2;
    case 'write': {
      const results: BenchResult[] = [];
      try {
        for (const file of command.files) results.push(parseResult(await readFile(file, 'utf8'), file));
      } catch (error) {
        process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n`);
        return 2;
      }
      for (const path of await writeDocumentation(results)) process.stdout.write(`${path}\n`);
      return 0;
    }
    case 'run': {
      const { options } = command;
      const result = await run(options);
      if (result.rows.length === 0) {
        // Otherwise nothing would be missed, and whoever relies on the exit code would take it for a pass.
        process.stderr.write('nothing was measured: none of these rows compares with one of these peers\n');
        return 2;
      }
      process.stdout.write(
        options.json
          ? `${JSON.stringify(result)}\n`
          : renderTable(result, { colours: process.stdout.isTTY && process.env['NO_COLOR'] === undefined }),
      );
      return isReached(result) || options.reportOnly ? 0 : 1;
    }
    default:
      return command satisfies never;
  }
}

process.exitCode = await main();
