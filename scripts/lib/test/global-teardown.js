import '../../typescript.js';

/** @param {{ watch: boolean, watchAll: boolean }} jest */
export default async (jest) => (await import('./setup.ts')).stopServers(jest);
