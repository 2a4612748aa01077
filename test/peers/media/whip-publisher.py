"""whip-publisher.py URL TOKEN: GStreamer's webrtcbin publishes H.264 and Opus by WHIP. SIGTERM has it end its session with a DELETE."""

import signal
import sys
import urllib.parse
import urllib.request

import gi

gi.require_version("Gst", "1.0")
gi.require_version("GstSdp", "1.0")
gi.require_version("GstWebRTC", "1.0")
from gi.repository import GLib, Gst, GstSdp, GstWebRTC  # noqa: E402

PIPELINE = (
    "webrtcbin name=peer bundle-policy=max-bundle"
    " videotestsrc is-live=true ! video/x-raw,width=640,height=360,framerate=25/1"
    " ! x264enc tune=zerolatency key-int-max=25 speed-preset=ultrafast bitrate=1000"
    " ! video/x-h264,profile=constrained-baseline ! rtph264pay aggregate-mode=zero-latency config-interval=-1 pt=96"
    " ! application/x-rtp,media=video,encoding-name=H264,payload=96 ! peer."
    " audiotestsrc is-live=true ! audioconvert ! audioresample ! audio/x-raw,rate=48000,channels=2 ! opusenc"
    " ! rtpopuspay pt=97 ! application/x-rtp,media=audio,encoding-name=OPUS,payload=97 ! peer."
)


class Publisher:
    def __init__(self, url, token):
        self.url = url
        self.headers = {"authorization": f"Bearer {token}"}
        self.session = None
        self.offered = False
        self.loop = GLib.MainLoop()
        self.pipeline = Gst.parse_launch(PIPELINE)
        self.peer = self.pipeline.get_by_name("peer")
        self.peer.connect("on-negotiation-needed", self.make_offer)
        self.peer.connect("notify::ice-gathering-state", self.on_gathering)
        self.pipeline.set_state(Gst.State.PLAYING)

    def make_offer(self, peer):
        peer.emit("create-offer", None, Gst.Promise.new_with_change_func(self.on_offer))

    def on_offer(self, promise):
        # The offer lives as long as the reply.
        reply = promise.get_reply()
        offer = reply.get_value("offer")
        self.peer.emit("set-local-description", offer, Gst.Promise.new())

    def on_gathering(self, peer, _):
        if peer.get_property("ice-gathering-state") == GstWebRTC.WebRTCICEGatheringState.COMPLETE:
            GLib.idle_add(self.post)

    def post(self):
        if self.offered:
            return
        self.offered = True
        offer = self.peer.get_property("local-description").sdp.as_text()
        headers = {**self.headers, "content-type": "application/sdp"}
        request = urllib.request.Request(self.url, offer.encode(), headers, method="POST")
        with urllib.request.urlopen(request) as response:
            self.session = urllib.parse.urljoin(self.url, response.headers["location"])
            _, sdp = GstSdp.SDPMessage.new_from_text(response.read().decode())
        answer = GstWebRTC.WebRTCSessionDescription.new(GstWebRTC.WebRTCSDPType.ANSWER, sdp)
        self.peer.emit("set-remote-description", answer, Gst.Promise.new())
        print("session", self.session, flush=True)

    def leave(self):
        if self.session is not None:
            urllib.request.urlopen(urllib.request.Request(self.session, headers=self.headers, method="DELETE"))
        self.loop.quit()


def main(url, token):
    Gst.init(None)
    publisher = Publisher(url, token)
    GLib.unix_signal_add(GLib.PRIORITY_DEFAULT, signal.SIGTERM, publisher.leave)
    publisher.loop.run()
    publisher.pipeline.set_state(Gst.State.NULL)


main(*sys.argv[1:])
