import { expect, test } from 'vitest';
import { renderChart } from './chart.ts';
import { exampleResult } from './example-result.ts';
import { figure } from './figures.ts';
import { renderMarkdown, replaceSection } from './markdown.ts';
import { isReached } from './result.ts';
import { renderTable } from './table.ts';

test('three digits that count', () => {
  const values = [0, 0.00123456, 0.0123, 0.1, 1, 7.999, 15.25, 152.4, 1_234_567, 999_999, Number.NaN];
  expect(values.map(figure)).toEqual(
    '0 0.00123 0.0123 0.100 1.00 8.00 15.3 152 1,230,000 1,000,000 –'.split(' '),
  );
});

test('a run is not reached by one miss, and not missed by what is not available', () => {
  expect(isReached(exampleResult)).toBe(false);
  const rows = exampleResult.rows.filter(({ verdict }) => verdict !== 'miss');
  expect(isReached({ ...exampleResult, rows })).toBe(true);
});

test('the table for a terminal', () => {
  expect(renderTable(exampleResult, { colours: false })).toMatchInlineSnapshot(`
    "                   ratio  target                 medians
    sendBatch / XADD    8.00     ≥ 6  pass           millrace 1,230,000, ioredis 154,000 records/s
    latency <p50>       4.10     ≤ 2  miss           millrace 0.410, ioredis 0.100 ms
    commands          0.0123  ≤ 0.02  pass           millrace 0.0123 commands
    eachBatch / NATS       –     ≥ 2  not available

    eachBatch / NATS: not available: no nats-server | anywhere

    2 of 4 rows reach their targets, 1 miss, 1 not available: not reached.
    2 cores (A processor), 16 GiB, Linux 6.1, Node 26.0.0, Redis 7.0.15; medians of 3 rounds, 61 s.
    "
  `);
  expect(renderTable(exampleResult, { colours: true })).toContain('\u001B[31mmiss');
});

test('the page keeps what is written around the section, also the second time', () => {
  const page =
    'before\n<!-- bench: written by `pnpm bench --write`; edits are overwritten -->\nold\n<!-- /bench -->\nbehind\n';
  const section = renderMarkdown([exampleResult]);
  const written = replaceSection(page, section);
  expect(written.startsWith('before\n')).toBe(true);
  expect(written.endsWith('\nbehind\n')).toBe(true);
  expect(written).not.toContain('old');
  expect(replaceSection(written, section)).toBe(written);
  expect(() => replaceSection('nothing', section)).toThrow('the page has no');
});

test('the section counts how many runs have reached each target', () => {
  const missed = exampleResult.rows.map((row) => ({ ...row, verdict: 'miss' as const }));
  const section = renderMarkdown([exampleResult, { ...exampleResult, rows: missed }]);
  expect(section).toContain('| sendBatch / XADD | **8.00** | ≥ 6 | 1 of 2 |');
  expect(section).toContain('- eachBatch / NATS: no nats-server | anywhere.');
  expect(section).toContain('| send-batch | millrace | 0.810 | 0.120 |');
});

test('the chart has a bar for each ratio to a peer', () => {
  const chart = renderChart(exampleResult);
  expect(chart.match(/<rect class="(pass|miss)"/g)).toEqual(['<rect class="pass"', '<rect class="miss"']);
  expect(chart).toContain('latency &lt;p50&gt;');
  expect(chart).not.toContain('NaN');
});
