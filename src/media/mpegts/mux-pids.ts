/** The PIDs of what is muxed here. */
export const muxPids = { pat: 0, pmt: 0x1000, video: 0x100, audio: 0x101 } as const;
