/** How uPlot is to draw the graph: steps and areas without smoothing, gaps where nothing is known, marks at the top. */
import uPlot from 'uplot';
import type { HistoryMark } from '#shared/history-protocol.ts';
import { places, type Picture } from '../../traffic-picture.ts';
import { dashesOf, markSigns, stripesOf, type Stripes } from './line-looks.ts';

export interface Looks {
  readonly text: string;
  readonly muted: string;
  readonly grid: string;
  readonly surface: string;
  /** By place. */
  readonly lines: readonly string[];
}

export interface Drawing {
  readonly looks: () => Looks;
  readonly marks: () => readonly HistoryMark[];
  readonly picture: () => Picture;
  /** What is written where nothing is known. */
  readonly unknownText: () => string;
  readonly timeText: (seconds: number) => string;
  readonly rateText: (bytesPerSecond: number) => string;
  readonly onCursor: (index: number | undefined) => void;
}

/** Bytes a second that the graph shows at least, so that a few of them are no mountain. */
const leastRate = 1000;

/** The options of the graph for a size in CSS pixels. */
export function graphOptions(drawing: Drawing, width: number, height: number): uPlot.Options {
  const font = '12px system-ui, sans-serif';
  const axis: uPlot.Axis = {
    font,
    stroke: () => drawing.looks().muted,
    grid: { stroke: () => drawing.looks().grid, width: 1 },
    ticks: { stroke: () => drawing.looks().grid, width: 1, size: 4 },
  };
  const path = uPlot.paths.stepped?.({ align: 1 });
  const series = Array.from({ length: 2 * places }, (_, index): uPlot.Series => {
    const place = index % places;
    return {
      ...(path === undefined ? {} : { paths: path }),
      scale: 'y',
      width: 1.5,
      points: { show: false },
      stroke: () => drawing.looks().lines[place] ?? '',
      fill: (plot) => areaOf(plot.ctx, drawing.looks(), place),
      fillTo: 0,
      dash: dashesOf(place),
    };
  });
  return {
    ...{ width, height, padding: [16, 12, 0, 0] },
    legend: { show: false },
    series: [{}, ...series],
    scales: { x: { time: true, range: (_plot, from, to) => [from, to] }, y: { range: rateRange } },
    axes: [
      { ...axis, size: 32, space: 90, values: (_plot, splits) => splits.map(drawing.timeText) },
      {
        ...axis,
        size: 76,
        values: (_plot, splits) => splits.map((value) => drawing.rateText(Math.abs(value))),
      },
    ],
    cursor: { points: { show: false }, y: false, drag: { x: true, y: false, setScale: false } },
    hooks: {
      setCursor: [
        ({ cursor }) => {
          drawing.onCursor(cursor.idx ?? undefined);
        },
      ],
      drawClear: [
        (plot) => {
          drawUnknown(plot, drawing);
        },
      ],
      draw: [
        (plot) => {
          drawZero(plot, drawing.looks());
          drawMarks(plot, drawing);
        },
      ],
    },
  };
}

function rateRange(_plot: uPlot, least: number | null, most: number | null): [number, number] {
  const [down, up] = [Math.max(most ?? 0, 0), Math.max(-(least ?? 0), 0)];
  const highest = Math.max(down, up, leastRate) * 1.08;
  // Where only one way has much, the other has a quarter at least, so that both can be seen.
  return [-Math.max(up * 1.08, highest / 4), Math.max(down * 1.08, highest / 4)];
}

/** A tint of the line's colour, with its stripes. */
function areaOf(
  context: CanvasRenderingContext2D,
  { lines, surface }: Looks,
  place: number,
): CanvasPattern | string {
  const colour = lines[place] ?? '';
  const size = Math.round(8 * uPlot.pxRatio);
  const tile = new OffscreenCanvas(size, size);
  const paint = tile.getContext('2d');
  if (paint === null) return colour;
  paint.fillStyle = surface;
  paint.fillRect(0, 0, size, size);
  paint.fillStyle = colour;
  paint.globalAlpha = 0.28;
  paint.fillRect(0, 0, size, size);
  paint.globalAlpha = 0.85;
  paint.strokeStyle = colour;
  paint.lineWidth = uPlot.pxRatio;
  paint.beginPath();
  for (const [fromX, fromY, toX, toY] of stripeLines(stripesOf(place), size)) {
    paint.moveTo(fromX, fromY);
    paint.lineTo(toX, toY);
  }
  paint.stroke();
  return context.createPattern(tile, 'repeat') ?? colour;
}

function stripeLines(kind: Stripes, size: number): readonly (readonly [number, number, number, number])[] {
  switch (kind) {
    case 'none':
      return [];
    case 'rising':
      return [-size, 0, size].map((shift) => [shift, size, shift + size, 0] as const);
    case 'falling':
      return [-size, 0, size].map((shift) => [shift, 0, shift + size, size] as const);
    case 'upright':
      return [[size / 2, 0, size / 2, size]];
  }
}

/** Grey where nothing is known, so that it is not taken for a time in which nothing moved. */
function drawUnknown(plot: uPlot, { looks, picture, unknownText }: Drawing): void {
  const { ctx, bbox } = plot;
  const { isUnknown, from, stepMs } = picture();
  ctx.save();
  ctx.font = `${Math.round(12 * uPlot.pxRatio)}px system-ui, sans-serif`;
  ctx.textAlign = 'center';
  ctx.textBaseline = 'middle';
  for (let first = isUnknown.indexOf(true); first >= 0;) {
    const known = isUnknown.indexOf(false, first);
    const end = known < 0 ? isUnknown.length : known;
    const [left = 0, right = 0] = [first, end].map((index) =>
      plot.valToPos((from + index * stepMs) / 1000, 'x', true),
    );
    ctx.globalAlpha = 0.12;
    ctx.fillStyle = looks().muted;
    ctx.fillRect(left, bbox.top, right - left, bbox.height);
    ctx.globalAlpha = 1;
    ctx.fillStyle = looks().muted;
    const text = unknownText();
    if (ctx.measureText(text).width + 16 < right - left)
      ctx.fillText(text, (left + right) / 2, bbox.top + bbox.height / 3);
    first = isUnknown.indexOf(true, end);
  }
  ctx.restore();
}

function drawZero(plot: uPlot, { text }: Looks): void {
  const { ctx, bbox } = plot;
  const y = Math.round(plot.valToPos(0, 'y', true));
  ctx.fillStyle = text;
  ctx.fillRect(bbox.left, y, bbox.width, Math.max(1, Math.round(uPlot.pxRatio)));
}

function drawMarks(plot: uPlot, { marks, looks }: Drawing): void {
  const { ctx, bbox } = plot;
  ctx.save();
  ctx.strokeStyle = looks().muted;
  ctx.fillStyle = looks().text;
  ctx.lineWidth = uPlot.pxRatio;
  ctx.setLineDash([2 * uPlot.pxRatio, 3 * uPlot.pxRatio]);
  ctx.font = `${Math.round(11 * uPlot.pxRatio)}px system-ui, sans-serif`;
  ctx.textAlign = 'center';
  ctx.textBaseline = 'bottom';
  for (const { at, kind } of marks()) {
    const x = Math.round(plot.valToPos(at / 1000, 'x', true));
    if (x < bbox.left || x > bbox.left + bbox.width) continue;
    ctx.beginPath();
    ctx.moveTo(x, bbox.top);
    ctx.lineTo(x, bbox.top + bbox.height);
    ctx.stroke();
    ctx.fillText(markSigns[kind], x, bbox.top - 2 * uPlot.pxRatio);
  }
  ctx.restore();
}
