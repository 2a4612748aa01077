/** What to do, by words of the reason; the first that fits. */
const remedies: readonly (readonly [words: RegExp, remedy: string])[] = [
  [/passphrase/, 'give both ends the same passphrase'],
  [/^its stream id/, 'give the device that stream_id, or leave the key out here'],
  [/stream id/, 'give this end the stream_id that the other end wants'],
  [/versions/, 'the other end needs SRT 1.3 or newer'],
  [/answered 401/, 'give both ends the same bearer_token'],
  [/answered 404/, 'check the path of the URL: the server has nothing there'],
  [/answered 409/, 'another publisher is live there, or the stream is not for browsers'],
  [/stream key/, 'give the publisher the stream_key of this flow'],
  [/^the app is/, 'end the address of the publisher with the app of this flow'],
  [/publisher is live/, 'stop the other one; after a second of silence a new one takes over'],
  [/ are read$/, 'set the encoder to H.264 or H.265 with AAC; nothing is transcoded here'],
  [/password/, 'check username and password'],
  [/set transport to/, 'set transport as it says'],
  [/refused: 404/, 'check the path of rtsp_url: the server has nothing there'],
  [/no stream that can be carried/, 'set the camera to H.264 or H.265 with AAC or Opus'],
  [/resolve/, 'check the host name'],
];

/** What to do about a connection that does not come about. */
export function connectRemedy(why: string): string {
  const found = remedies.find(([words]) => words.test(why));
  return (
    found?.[1] ?? 'check its address, that it runs, and that the network between lets the packets through both ways'
  );
}
