import process from 'node:process';
import { toErrorInfo, type SetupReport, type StudioState } from '../contract/index.ts';

type Tester = { readonly state: StudioState; runSetupTest(): Promise<SetupReport> };

const RESULT = { good: 'good   ', poor: 'poor   ', failed: 'FAILED ', skipped: 'skipped' } as const;

const worksHere = ({ recommendation, checks }: SetupReport): boolean =>
  recommendation !== null && checks.every(({ result }) => result !== 'failed');

/** The report as people read it, one line per check. */
function reportLines(report: SetupReport, file: string): string[] {
  const { recommendation, machine, seconds, checks } = report;
  return [
    `Pitwall measured this computer for ${seconds.toFixed(1)} s: ${machine.cpu}, ${machine.cores} cores, ffmpeg ${machine.ffmpeg}.`,
    ...checks.flatMap(({ id, result, message, remedy }) => [
      `  ${RESULT[result]}  ${id.padEnd(12)}  ${message}`,
      ...(remedy === undefined ? [] : [`${' '.repeat(25)}${remedy}`]),
    ]),
    recommendation === null ? 'Nothing can be recommended.' : `Recommended: ${recommendation.sentence}.`,
    ...(file === '' ? [] : [`The report is kept as ${file}`]),
  ];
}

/**
 * `--setup-test`: runs it and prints what was found, as lines, or as one JSON document. Answers the exit code: 0 when what is recommended works,
 * 1 when a check failed or the test could not run.
 */
export async function setupTestInTerminal(engine: Tester, json: boolean): Promise<0 | 1> {
  try {
    const report = await engine.runSetupTest();
    const { setupTest } = engine.state;
    const file = setupTest.state === 'done' ? setupTest.file : '';
    process.stdout.write(json ? `${JSON.stringify(report, null, 2)}\n` : `${reportLines(report, file).join('\n')}\n`);
    return worksHere(report) ? 0 : 1;
  } catch (thrown) {
    const { message, remedy } = toErrorInfo(thrown);
    process.stderr.write(`${message} ${remedy}\n`);
    return 1;
  }
}
