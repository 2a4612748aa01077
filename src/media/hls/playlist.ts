export interface PlaylistEntry {
  readonly number: number;
  readonly durationSecs: number;
  readonly isDiscontinuous: boolean;
  /** It is not at the server. */
  readonly isGap: boolean;
}

/** The list of the latest segments (RFC 8216; `EXT-X-GAP` is of its second edition, version 8). */
export class Playlist {
  readonly #mostEntries: number;
  #entries: readonly PlaylistEntry[] = [];
  /** Breaks of the time line that have left the list. */
  #discontinuities = 0;
  /** Does not fall: a player takes it once. */
  #targetSecs = 1;

  constructor(mostEntries: number) {
    this.#mostEntries = mostEntries;
  }

  add(entry: PlaylistEntry): void {
    this.#targetSecs = Math.max(this.#targetSecs, Math.round(entry.durationSecs));
    const all = [...this.#entries, entry];
    const gone = all.slice(0, Math.max(0, all.length - this.#mostEntries));
    this.#discontinuities += gone.filter(({ isDiscontinuous }) => isDiscontinuous).length;
    this.#entries = all.slice(gone.length);
  }

  /** With `isOver` it says that nothing will be added: players end instead of asking for ever. */
  toString(isOver = false): string {
    const hasGap = this.#entries.some(({ isGap }) => isGap);
    const lines = [
      ...['#EXTM3U', `#EXT-X-VERSION:${hasGap ? 8 : 3}`, `#EXT-X-TARGETDURATION:${this.#targetSecs}`],
      `#EXT-X-MEDIA-SEQUENCE:${this.#entries[0]?.number ?? 0}`,
      ...(this.#discontinuities > 0 ? [`#EXT-X-DISCONTINUITY-SEQUENCE:${this.#discontinuities}`] : []),
      ...this.#entries.flatMap(({ number, durationSecs, isDiscontinuous, isGap }) => [
        ...(isDiscontinuous ? ['#EXT-X-DISCONTINUITY'] : []),
        ...(isGap ? ['#EXT-X-GAP'] : []),
        `#EXTINF:${durationSecs.toFixed(3)},`,
        segmentName(number),
      ]),
      ...(isOver ? ['#EXT-X-ENDLIST'] : []),
    ];
    return `${lines.join('\n')}\n`;
  }
}

export const playlistName = 'playlist.m3u8';

export function segmentName(number: number): string {
  return `segment_${number}.ts`;
}
