import { mkdir, readdir, rm, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { SetupReport } from '../../../contract/index.ts';

const KEPT = 20;
const NAME = /^setup-\d{4}-\d{2}-\d{2} \d{2}\.\d{2}\.\d{2}( \(\d+\))?\.json$/;

const two = (value: number): string => String(value).padStart(2, '0');

/** `setup-2026-11-20 18.03.12.json`, in local time. */
function reportName(at: Date): string {
  const day = `${at.getFullYear()}-${two(at.getMonth() + 1)}-${two(at.getDate())}`;
  return `setup-${day} ${two(at.getHours())}.${two(at.getMinutes())}.${two(at.getSeconds())}.json`;
}

/** Writes the report into `folder` and keeps the newest 20; answers its path. Errors: the system's own. */
export async function saveReport(folder: string, report: SetupReport): Promise<string> {
  await mkdir(folder, { recursive: true });
  const file = path.join(folder, reportName(new Date(report.at * 1000)));
  await writeFile(file, `${JSON.stringify(SetupReport.parse(report), null, 2)}\n`, { mode: 0o600 });
  const reports = (await readdir(folder)).filter((name) => NAME.test(name)).sort();
  const old = reports.slice(0, Math.max(0, reports.length - KEPT));
  await Promise.all(old.map(async (name) => rm(path.join(folder, name), { force: true })));
  return file;
}
