import '../../typescript.js';

export default (await import('../../../service-kit/testing/response.reporter.ts')).Reporter;
