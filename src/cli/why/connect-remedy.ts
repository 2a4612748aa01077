/** What to do about a connection that does not come about. */
export function connectRemedy(why: string): string {
  if (why.includes('passphrase')) return 'give both ends the same passphrase';
  if (why.includes('stream id')) return 'give this end the stream_id that the other end wants';
  if (why.includes('versions')) return 'the other end needs SRT 1.3 or newer';
  if (why.includes('answered 401')) return 'give both ends the same bearer_token';
  if (why.includes('answered 404')) return 'check the path of the URL: the server has nothing there';
  if (why.includes('answered 409')) return 'another publisher is live there, or the stream is not for browsers';
  if (why.includes('resolve')) return 'check the host name';
  return 'check its address, that it runs, and that the network between lets the packets through both ways';
}
