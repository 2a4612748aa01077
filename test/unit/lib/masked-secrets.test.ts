import { describe, expect, it } from 'vitest';
import { maskSecrets, unmaskSecrets } from '../../../src/lib/masked-secrets.ts';
import { redacted } from '../../../src/lib/redact.ts';

const flow = {
  id: 'f',
  input: { type: 'srt', passphrase: 'in-secret' },
  outputs: [
    { id: 'a', passphrase: 'a-secret', port: 1 },
    { id: 'b', passphrase: 'b-secret' },
  ],
  tokens: ['t-secret'],
};

describe('secrets that are masked', () => {
  it('are those under secret names, at any depth', () => {
    expect(maskSecrets(flow)).toEqual({
      id: 'f',
      input: { type: 'srt', passphrase: redacted },
      outputs: [
        { id: 'a', passphrase: redacted, port: 1 },
        { id: 'b', passphrase: redacted },
      ],
      tokens: redacted,
    });
    expect(JSON.stringify(maskSecrets([flow, null, 'text', 7]))).not.toContain('-secret');
  });

  it('are the password and the query of a URL, and nothing else of it', () => {
    const urls = {
      rtsp_url: 'rtsp://admin:camera-secret@cam.example:8554/stream1?token=a-secret',
      ingest_url: 'https://upload.example/hls?cid=stream-secret&copy=0&file=',
      named: 'rtsp://viewer@cam.example/s',
      plain: 'srt://relay.example:9000',
      text: 'why? because: a@b',
    };
    const masked = {
      rtsp_url: `rtsp://admin:${redacted}@cam.example:8554/stream1?${redacted}`,
      ingest_url: `https://upload.example/hls?${redacted}`,
      ...{ named: urls.named, plain: urls.plain, text: urls.text },
    };
    expect(maskSecrets(urls)).toEqual(masked);
    expect(unmaskSecrets(masked, urls)).toEqual({ value: urls, missing: [] });
    const moved = { ...masked, rtsp_url: masked.rtsp_url.replace('cam.example', 'evil.example') };
    expect(unmaskSecrets(moved, urls).missing).toEqual(['rtsp_url']);
  });

  it('come back from what is known, also when a list has another order', () => {
    expect(unmaskSecrets(maskSecrets(flow), flow)).toEqual({ value: flow, missing: [] });
    const swapped = { ...flow, outputs: flow.outputs.toReversed() };
    expect(unmaskSecrets(maskSecrets(swapped), flow)).toEqual({ value: swapped, missing: [] });
  });

  it('stay what an operator wrote in their place', () => {
    const written = { ...flow, input: { type: 'srt', passphrase: 'new' } };
    expect(unmaskSecrets(written, flow)).toEqual({ value: written, missing: [] });
  });

  it.each([
    ['nothing is known', null],
    ['what is known is masked, too', maskSecrets({ outputs: [{ id: 'c', passphrase: 'x' }] })],
    ['the prototype has the name only', {}],
  ])('are named by their paths where %s', (_case, known) => {
    const value = { outputs: [{ id: 'c', passphrase: redacted }], __proto__: { constructor: redacted } };
    expect(unmaskSecrets(value, known).missing).toEqual(['outputs[0].passphrase']);
  });
});
