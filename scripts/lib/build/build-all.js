import { existsSync } from 'node:fs';
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { readJson } from '../json-file.js';
import { ROOT, SERVICES } from '../shop.js';
import { step } from '../terminal.js';
import { compile, compileInputs, generateClient, generateInputs } from './build-steps.js';

// In node_modules, so that a new installation builds anew.
const RECORD_FOLDER = join(ROOT, 'node_modules', '.cache', 'shop');
const RECORD = join(RECORD_FOLDER, 'build.json');

/**
 * @typedef {object} BuildStep
 * @property {string} name
 * @property {string} inputs a fingerprint
 * @property {string} output must exist for the step to count as done
 * @property {() => Promise<void>} run
 */

/**
 * Generated clients and the kit first (independent of each other), then the services, which need both.
 * @param {{ signal: AbortSignal, force: boolean }} options
 * @returns {Promise<boolean>} whether anything had to be built
 */
export async function buildAll({ signal, force }) {
  const record = force ? {} : await readRecord();
  const names = SERVICES.map(({ name }) => name);
  const clients = names.filter((name) => existsSync(join(ROOT, name, 'prisma', 'schema.prisma')));
  const first = await Promise.all([
    ...clients.map((name) => generateStep(name, signal)),
    compileStep('service-kit', signal),
  ]);
  const second = await Promise.all(names.map((name) => compileStep(name, signal)));

  const stages = [first, second].map((steps) => steps.filter((one) => !isDone(one, record)));
  if (stages.flat().length === 0) return false;
  await step('Building', async () => {
    for (const stage of stages) await runStage(stage, record);
  });
  return true;
}

/**
 * All steps of a stage end before a failure is told, so that none is left running.
 * @param {BuildStep[]} stage
 * @param {Record<string, string>} record
 */
async function runStage(stage, record) {
  const results = await Promise.allSettled(stage.map((one) => one.run()));
  stage.forEach(({ name, inputs }, index) => {
    if (results[index]?.status === 'fulfilled') record[name] = inputs;
  });
  await mkdir(RECORD_FOLDER, { recursive: true });
  await writeFile(RECORD, JSON.stringify(record, null, 2));
  const failures = results.flatMap((result) => (result.status === 'rejected' ? [result.reason] : []));
  if (failures.length === 1) throw failures[0];
  if (failures.length > 1) throw joinFailures(failures);
}

/** @param {Error[]} failures of one class: stopped by the same signal, or failed tools */
function joinFailures([first, ...others]) {
  if (first) first.message = [first, ...others].map(({ message }) => message).join('\n\n');
  return first;
}

/** @returns {Promise<Record<string, string>>} */
async function readRecord() {
  return /** @type {Record<string, string>} */ ((await readJson(RECORD).catch(() => undefined)) ?? {});
}

/**
 * @param {BuildStep} one
 * @param {Record<string, string>} record
 */
function isDone({ name, inputs, output }, record) {
  return record[name] === inputs && existsSync(output);
}

/**
 * @param {string} name
 * @param {AbortSignal} signal
 * @returns {Promise<BuildStep>}
 */
async function generateStep(name, signal) {
  return {
    name: `generate ${name}`,
    inputs: await generateInputs(name),
    output: join(ROOT, name, 'src', 'generated'),
    run: () => generateClient(name, signal),
  };
}

/**
 * @param {string} name
 * @param {AbortSignal} signal
 * @returns {Promise<BuildStep>}
 */
async function compileStep(name, signal) {
  return {
    name: `compile ${name}`,
    inputs: await compileInputs(name),
    output: join(ROOT, name, 'dist'),
    run: () => compile(name, signal),
  };
}
