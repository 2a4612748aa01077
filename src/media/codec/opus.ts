/** Frame lengths by configuration, in 90 kHz ticks (RFC 6716 §3.1, table 2). */
const silk = [900, 1800, 3600, 5400];
const hybrid = [900, 1800];
const celt = [225, 450, 900, 1800];

/** How long an Opus packet plays, in 90 kHz ticks; 0 for an empty one. */
export function opusTicks(packet: Buffer): number {
  const toc = packet[0];
  if (toc === undefined) return 0;
  const config = toc >> 3;
  const lengths = config < 12 ? silk : config < 16 ? hybrid : celt;
  const frame = lengths[config % lengths.length] ?? 0;
  const code = toc & 3;
  if (code === 3) return frame * ((packet[1] ?? 0) & 0x3f);
  return code === 0 ? frame : frame * 2;
}
