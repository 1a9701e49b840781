import type { Result } from './scale.queries.ts';

const PANEL = { width: 340, height: 230, left: 44, top: 40, gap: 20 };
/** Panels side by side. */
const COLUMNS = 3;
const LINE_HEIGHT = 16;
const COLOURS = ['#3b6ea8', '#c2622d', '#4b8a4b', '#8a4f9e', '#a58a1c', '#4d9ba1', '#b0476c', '#6b6b6b'];
const STEPS = [0.5, 1, 2, 5, 10, 20, 50, 100, 200, 500, 1000, 2000];

/** Latency (p50) against size, both logarithmic: a panel for each group of queries, a line for each kind. */
export function drawChart(results: Result[], sizes: number[]): string {
  const panels = [...new Set(results.map(({ panel }) => panel))].map((title) => ({
    title,
    results: results.filter(({ panel }) => panel === title),
  }));
  const most = Math.max(...results.flatMap(({ figures }) => [...figures.values()].map(({ p50 }) => p50)));
  const steps = STEPS.slice(0, STEPS.findIndex((step) => step >= most) + 1 || STEPS.length);
  const lines = Math.max(...panels.map((panel) => panel.results.length));
  const width = Math.min(COLUMNS, panels.length) * (PANEL.width + PANEL.gap);
  const rowHeight = PANEL.top + PANEL.height + 40 + lines * LINE_HEIGHT + PANEL.gap;
  const height = Math.ceil(panels.length / COLUMNS) * rowHeight - PANEL.gap;
  const drawn = panels.map((panel, index) => {
    const x = (index % COLUMNS) * (PANEL.width + PANEL.gap);
    const y = Math.floor(index / COLUMNS) * rowHeight;
    return `<g transform="translate(${x} ${y})">${drawPanel(panel.title, panel.results, sizes, steps)}</g>`;
  });
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${height}" font-family="sans-serif" font-size="11">
<title>Median latency of uncached lists and searches against the number of products</title>
<rect width="${width}" height="${height}" fill="#fff"/>
${drawn.join('\n')}
</svg>
`;
}

function drawPanel(title: string, results: Result[], sizes: number[], steps: number[]): string {
  const right = PANEL.width - 16;
  const bottom = PANEL.top + PANEL.height;
  const x = scale(Math.min(...sizes), Math.max(...sizes), PANEL.left, right);
  const y = scale(steps[0] ?? 1, steps.at(-1) ?? 1, bottom, PANEL.top);
  const grid = steps.map(
    (value) =>
      `<path d="M${PANEL.left} ${y(value)}H${right}" stroke="#e4e4e4"/><text x="${PANEL.left - 6}" y="${y(value) + 4}" text-anchor="end" fill="#555">${value}</text>`,
  );
  const ticks = sizes.map(
    (size) =>
      `<text x="${x(size)}" y="${bottom + 16}" text-anchor="middle" fill="#555">${size.toLocaleString('en')}</text>`,
  );
  const lines = results.map(({ name, figures }, index) => {
    const colour = COLOURS[index % COLOURS.length];
    // Colours repeat; then lines are dashed.
    const stroke = `stroke="${colour}" stroke-width="1.8"${index < COLOURS.length ? '' : ' stroke-dasharray="5 3"'}`;
    const points = [...figures].map(([size, { p50 }]) => [x(size), y(p50)] as const);
    const legend = bottom + 38 + index * LINE_HEIGHT;
    return [
      `<polyline points="${points.map((point) => point.join(',')).join(' ')}" fill="none" ${stroke}/>`,
      ...points.map(([cx, cy]) => `<circle cx="${cx}" cy="${cy}" r="2.6" fill="${colour}"/>`),
      `<path d="M${PANEL.left} ${legend - 4}h16" ${stroke}/>`,
      `<text x="${PANEL.left + 22}" y="${legend}" fill="#222">${name}${atLargest(figures)}</text>`,
    ].join('');
  });
  return [
    `<text x="${PANEL.left}" y="18" font-size="14" font-weight="bold">${title}</text>`,
    `<text x="${PANEL.left}" y="33" fill="#555">median, milliseconds</text>`,
    ...grid,
    ...ticks,
    ...lines,
  ].join('\n');
}

/** Maps logarithmic values between two edges, to a tenth of a pixel; values outside are drawn on the edge. */
function scale(low: number, high: number, from: number, to: number) {
  const span = Math.log(high / low) || 1;
  return (value: number) => {
    const share = Math.min(1, Math.max(0, Math.log(value / low) / span));
    return Math.round((from + share * (to - from)) * 10) / 10;
  };
}

function atLargest(figures: Result['figures']): string {
  const last = [...figures].at(-1);
  return last === undefined ? '' : ` (${last[1].p50.toFixed(1)})`;
}
