/** `1 datagram was`, `2 datagrams were`; also with words behind the noun: `2 datagrams from here were`. */
export function counted(count: number, noun: string, rest = ''): string {
  return `${count} ${noun}${count === 1 ? '' : 's'}${rest} ${count === 1 ? 'was' : 'were'}`;
}
