// Before the loader, which makes each of its hundred files slower to import.
import 'execa';
import { register } from 'tsx/esm/api';

/** Lets this process import TypeScript. Node 22.18 and later strip types themselves. */
if (!Reflect.get(process.features, 'typescript')) register();
