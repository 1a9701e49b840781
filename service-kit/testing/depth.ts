/** How often something random is tried: `THOROUGH=true` asks for many, as the project's CI does. */
export const times = (usually: number, thoroughly: number): number =>
  process.env['THOROUGH'] === 'true' ? thoroughly : usually;
