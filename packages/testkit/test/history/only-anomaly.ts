/** What a hand-made history must be found to have: this anomaly, no other, and a piece that shows it and no more. */
import { expect } from 'vitest';
import { checkHistory, type Anomaly, type AnomalyName, type CheckOptions } from '@millrace/testkit';
import type { HandMade } from './hand-made.ts';

export interface Expectation extends CheckOptions {
  /** What cannot be had without. */
  readonly alsoHas?: readonly AnomalyName[];
  /** False where what is missing from the history is the evidence: any shorter piece lacks it too. Default true. */
  readonly isMinimal?: boolean;
}

export function onlyAnomaly(made: HandMade, name: AnomalyName, expectation: Expectation = {}): Anomaly {
  const { alsoHas = [], isMinimal = true, ...options } = expectation;
  const { anomalies } = checkHistory(made.events, options);
  expect(anomalies.map((anomaly) => anomaly.name).sort()).toEqual([name, ...alsoHas].sort());
  const anomaly = anomalies.find((found) => found.name === name)!;
  expect(anomaly.count).toBeGreaterThan(0);
  expect(namesIn(anomaly.events, options)).toContain(name);
  if (isMinimal) {
    for (const left of anomaly.events) {
      const shorter = anomaly.events.filter((event) => event !== left);
      expect(namesIn(shorter, options), `without ${left.f} ${left.type}`).not.toContain(name);
    }
  }
  return anomaly;
}

export function anomaliesOf(made: HandMade, options: CheckOptions = {}): readonly Anomaly[] {
  return checkHistory(made.events, options).anomalies;
}

export function outline({ events }: Anomaly): string[] {
  return events.map(({ proc, f, type }) => `${proc} ${f} ${type}`);
}

function namesIn(events: Anomaly['events'], options: CheckOptions): AnomalyName[] {
  return checkHistory(events, options).anomalies.map((anomaly) => anomaly.name);
}
