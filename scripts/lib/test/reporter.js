import '../../typescript.js';

export default (await import('./reporter.ts')).Reporter;
