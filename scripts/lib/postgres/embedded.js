import { rm, stat } from 'node:fs/promises';
import { dirname } from 'node:path';
import { Failure } from '../failure.js';
import { step } from '../terminal.js';
import { postgresBinaries } from './binaries.js';
import { initialise, isInitialised, locateData, requireSameMajor } from './data-folder.js';
import { startPostgres } from './server.js';
import { serverUser } from './server-user.js';

/**
 * From whatever is at `path` (nothing, or the data of last time) to a running server.
 * @param {object} options
 * @param {string} options.path of the data
 * @param {string} options.logFile begun anew
 * @param {string} options.password of the superuser
 * @param {boolean} options.passwordIsKept false when it was made just now: data of last time cannot be opened then
 * @param {string[]} options.settings
 * @param {AbortSignal} options.signal
 */
export async function startEmbeddedPostgres({ path, logFile, password, passwordIsKept, settings, signal }) {
  const systemUser = serverUser();
  const folder = await locateData(path, systemUser);
  const binaries = await postgresBinaries({ user: systemUser, home: dirname(folder), signal });
  if (await isInitialised(folder)) {
    await requireSameMajor(folder, binaries.major);
    if (!passwordIsKept) {
      throw new Failure(
        `${folder} holds data, but .data/secrets.json with its password is gone. Restore that file, or begin anew with: npm start -- --fresh`,
      );
    }
  } else {
    await step('Initialising the database', () =>
      initialise({ folder, initdb: binaries.initdb, user: systemUser, password, signal }),
    );
  }
  await rm(logFile, { force: true });
  const user = systemUser && (await ownerOf(folder));
  const options = { binaries, folder, user, password, settings, logFile, signal };
  return { ...(await startPostgres(options)), options };
}

/**
 * Data made by an ordinary user stays that user's when root starts it.
 * @param {string} folder
 */
async function ownerOf(folder) {
  const { uid, gid } = await stat(folder);
  return { uid, gid };
}
