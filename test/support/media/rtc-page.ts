import type { Page } from 'playwright-core';

/** A camera and a microphone that are none, and connections to this machine's own addresses. */
export const fakeMediaArgs = [
  '--use-fake-device-for-media-stream',
  '--use-fake-ui-for-media-stream',
  '--allow-loopback-in-peer-connection',
  '--disable-features=WebRtcHideLocalIpsWithMdns',
  '--autoplay-policy=no-user-gesture-required',
];

export interface ReceivedVideo {
  readonly framesDecoded: number;
  readonly packetsLost: number;
}

// The scripts are text: they run in a page, whose types this project does not have.
const post = `async (peer, url, token) => {
  await peer.setLocalDescription();
  const headers = { 'content-type': 'application/sdp' };
  if (token !== null) headers.authorization = 'Bearer ' + token;
  const answer = await fetch(url, { method: 'POST', headers, body: peer.localDescription.sdp });
  if (answer.status !== 201) return answer.status + ': ' + (await answer.text());
  await peer.setRemoteDescription({ type: 'answer', sdp: await answer.text() });
  return answer.headers.get('location');
}`;

const playScript = `async (url, token) => {
  const peer = (globalThis.peer = new RTCPeerConnection());
  peer.addTransceiver('video', { direction: 'recvonly' });
  peer.addTransceiver('audio', { direction: 'recvonly' });
  const video = document.createElement('video');
  video.muted = true;
  document.body.append(video);
  peer.ontrack = (event) => {
    video.srcObject = event.streams[0];
    video.play();
  };
  return (${post})(peer, url, token);
}`;

const publishScript = `async (url, token) => {
  const stream = await navigator.mediaDevices.getUserMedia({ video: { width: 640, height: 360 }, audio: true });
  const peer = (globalThis.peer = new RTCPeerConnection());
  for (const track of stream.getTracks()) peer.addTransceiver(track, { direction: 'sendonly', streams: [stream] });
  return (${post})(peer, url, token);
}`;

const statsScript = `async () => {
  for (const entry of (await globalThis.peer.getStats()).values()) {
    if (entry.type === 'inbound-rtp' && entry.kind === 'video') {
      return { framesDecoded: entry.framesDecoded ?? 0, packetsLost: entry.packetsLost ?? 0 };
    }
  }
  return { framesDecoded: 0, packetsLost: 0 };
}`;

/** Plays from a WHEP endpoint. Returns the session's path, or the status and words of a refusal. */
export function playInPage(page: Page, url: string, token: string | null = null): Promise<string> {
  return page.evaluate(call(playScript, url, token));
}

/** Publishes the fake camera to a WHIP endpoint. Returns the session's path, or the status and words of a refusal. */
export function publishInPage(page: Page, url: string, token: string | null = null): Promise<string> {
  return page.evaluate(call(publishScript, url, token));
}

export function receivedInPage(page: Page): Promise<ReceivedVideo> {
  return page.evaluate(call(statsScript));
}

export async function closePeerInPage(page: Page): Promise<void> {
  await page.evaluate('globalThis.peer.close()');
}

function call(script: string, ...values: readonly unknown[]): string {
  return `(${script})(${values.map((value) => JSON.stringify(value)).join(', ')})`;
}
