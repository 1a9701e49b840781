import '../../typescript.js';

export default async () => (await import('./setup.ts')).startServersAndBuild();
