/** Points kept of each history: at one every five seconds, ten minutes. */
export const mostPoints = 120;

/** The points with another one at the end, without the oldest if there are too many. */
export function withPoint<Point>(points: readonly Point[] | undefined, point: Point): readonly Point[] {
  return [...(points ?? []), point].slice(-mostPoints);
}
