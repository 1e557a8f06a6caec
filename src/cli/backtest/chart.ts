/** A group of bars: one for each series, in their order. */
export interface BarGroup {
  readonly name: string;
  readonly values: readonly number[];
  /** Which of its bars stand out, with an outline. */
  readonly outlined: readonly boolean[];
}

export interface BarChart {
  readonly title: string;
  readonly subtitle: string;
  readonly xLabel: string;
  readonly yLabel: string;
  /** What the bars of a group are, with a color of each; and what an outline means. */
  readonly legend: string;
  readonly outline: string;
  readonly series: readonly { readonly name: string; readonly color: string }[];
  readonly groups: readonly BarGroup[];
}

/** Okabe and Ito's colors, which people with any color vision can tell apart. */
export const COLORS = { green: '#009E73', orange: '#D55E00', blue: '#56B4E9', purple: '#CC79A7' } as const;

const WIDTH = 960;
const HEIGHT = 560;
const PLOT = { left: 92, right: 930, top: 132, bottom: 470 } as const;
const INK = '#1f2933';
const FAINT = '#d5dbe1';
const BAR_SHARE = 0.78; // of a group's width
const GAP = 4;
const TICKS = 5;
const OUTLINE = `stroke="${INK}" stroke-width="2"`;

/** Grouped bars as an SVG of its own: title, axes with labels, a legend, and the number above each bar. */
export function barChart(chart: BarChart): string {
  const most = Math.max(1, ...chart.groups.flatMap(({ values }) => values));
  const step = niceStep(most / TICKS);
  const top = Math.ceil(most / step) * step;
  const parts = [
    text(WIDTH / 2, 38, chart.title, { size: 22, weight: 600 }),
    text(WIDTH / 2, 64, chart.subtitle, { size: 14 }),
    legend(chart),
    ...axis(top, step),
    ...chart.groups.map((group, index) => bars(group, index, chart, top)),
    line(PLOT.left, PLOT.bottom, PLOT.right, PLOT.bottom, INK),
    text((PLOT.left + PLOT.right) / 2, HEIGHT - 34, chart.xLabel, { size: 15 }),
    `<g transform="translate(26 ${(PLOT.top + PLOT.bottom) / 2}) rotate(-90)">${text(0, 0, chart.yLabel, { size: 15 })}</g>`,
  ];
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${WIDTH} ${HEIGHT}" width="${WIDTH}" height="${HEIGHT}" role="img"`,
    ` font-family="system-ui, 'Segoe UI', 'Helvetica Neue', Arial, sans-serif" fill="${INK}">\n`,
    `<title>${escaped(chart.title)}</title>\n<desc>${escaped(described(chart))}</desc>\n`,
    `<rect width="${WIDTH}" height="${HEIGHT}" fill="#ffffff"/>\n`,
    ...parts.map((part) => `${part}\n`),
    '</svg>\n',
  ].join('');
}

/** 1, 2 or 5 times a power of ten; whole, since promises are counted. */
function niceStep(rough: number): number {
  const power = 10 ** Math.floor(Math.log10(Math.max(1, rough)));
  const step = [1, 2, 5, 10].find((times) => times * power >= rough) ?? 10;
  return step * power;
}

function axis(top: number, step: number): string[] {
  const ticks = Array.from({ length: Math.round(top / step) + 1 }, (_, index) => index * step);
  return ticks.map((value) => {
    const y = yOf(value, top);
    const label = text(PLOT.left - 12, y + 5, thousands(value), { size: 13, anchor: 'end' });
    return `${line(PLOT.left, y, PLOT.right, y, FAINT)}${label}`;
  });
}

function bars(
  { name, values, outlined }: BarGroup,
  index: number,
  { series, groups }: BarChart,
  top: number,
): string {
  const groupWidth = (PLOT.right - PLOT.left) / groups.length;
  const middle = PLOT.left + groupWidth * (index + 0.5);
  const width = (groupWidth * BAR_SHARE) / series.length - GAP;
  const left = middle - (groupWidth * BAR_SHARE) / 2 + GAP / 2;
  const drawn = values.map((value, at) => {
    const x = left + at * (width + GAP);
    const y = yOf(value, top);
    const height = PLOT.bottom - y;
    const rect = `<rect x="${round(x)}" y="${round(y)}" width="${round(width)}" height="${round(height)}" fill="${series[at]?.color ?? INK}"${outlined[at] === true ? ` ${OUTLINE}` : ''}/>`;
    return `${value === 0 ? '' : rect}${text(x + width / 2, y - 7, thousands(value), { size: 13, halo: true })}`;
  });
  return `${drawn.join('')}${text(middle, PLOT.bottom + 26, name, { size: 15, weight: 600 })}`;
}

function legend({ legend: name, outline, series }: BarChart): string {
  const slots = [name, ...series.map((one) => one.name), outline].map((label) => label.length * 7.5 + 52);
  let x = (WIDTH - slots.reduce((total, slot) => total + slot, 0)) / 2 + 20;
  const place = (index: number): number => {
    const at = x;
    x += slots[index] ?? 0;
    return at;
  };
  const style = { size: 14, anchor: 'start' } as const;
  return [
    text(place(0) + 24, 99, name, style),
    ...series.map((one, index) => {
      const at = place(index + 1);
      return `<rect x="${round(at)}" y="86" width="16" height="16" fill="${one.color}"/>${text(at + 24, 99, one.name, style)}`;
    }),
    `<rect x="${round(x)}" y="86" width="16" height="16" fill="none" ${OUTLINE}/>${text(x + 24, 99, outline, style)}`,
  ].join('');
}

/** The numbers in words, for who cannot see them. */
function described({ groups, series, xLabel }: BarChart): string {
  const told = groups.map(({ name, values }) => {
    const each = values.map((value, index) => `${series[index]?.name ?? ''} ${value}`);
    return `${name}: ${each.join(', ')}`;
  });
  return `${xLabel}. ${told.join('; ')}.`;
}

interface TextStyle {
  readonly size: number;
  readonly weight?: number;
  readonly anchor?: 'start' | 'middle' | 'end';
  /** Keeps the lines behind it away. */
  readonly halo?: boolean;
}

function text(
  x: number,
  y: number,
  content: string,
  { size, weight = 400, anchor = 'middle', halo = false }: TextStyle,
): string {
  const around = halo ? ' stroke="#ffffff" stroke-width="4" paint-order="stroke"' : '';
  return `<text x="${round(x)}" y="${round(y)}" font-size="${size}" font-weight="${weight}" text-anchor="${anchor}"${around}>${escaped(content)}</text>`;
}

function line(x1: number, y1: number, x2: number, y2: number, color: string): string {
  return `<line x1="${round(x1)}" y1="${round(y1)}" x2="${round(x2)}" y2="${round(y2)}" stroke="${color}"/>`;
}

function yOf(value: number, top: number): number {
  return PLOT.bottom - ((PLOT.bottom - PLOT.top) * value) / top;
}

function round(value: number): number {
  return Math.round(value * 100) / 100;
}

function thousands(value: number): string {
  return String(value).replace(/\B(?=(\d{3})+$)/g, ',');
}

function escaped(content: string): string {
  return content
    .replaceAll('&', '&amp;')
    .replaceAll('<', '&lt;')
    .replaceAll('>', '&gt;')
    .replaceAll('"', '&quot;');
}
