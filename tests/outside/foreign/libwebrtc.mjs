// Two libwebrtc ends in one process, on loopback: how long it takes from an
// offer that is accepted to the first picture that the answerer decodes.
// Prints {"first_frame_ms": [...]}, one value for each call.
import wrtc from '@roamhq/wrtc';

const { RTCPeerConnection, MediaStream, nonstandard } = wrtc;
const { RTCAudioSource, RTCVideoSource, RTCVideoSink } = nonstandard;

const CALLS = Number(process.argv[2] ?? 9);
const WIDTH = 1280;
const HEIGHT = 720;

/** A camera at 30 pictures a second and a microphone, both running. */
function devices() {
  const camera = new RTCVideoSource();
  const microphone = new RTCAudioSource();
  const data = new Uint8ClampedArray((WIDTH * HEIGHT * 3) / 2).fill(128);
  let number = 0;
  const film = setInterval(() => {
    number += 1;
    data.fill(16 + (number % 200), 0, WIDTH * 40);
    camera.onFrame({ width: WIDTH, height: HEIGHT, data });
  }, 33);
  const samples = new Int16Array(480);
  let played = 0;
  const tone = setInterval(() => {
    for (let i = 0; i < samples.length; i += 1, played += 1) {
      samples[i] = 8000 * Math.sin((played * 440 * 2 * Math.PI) / 48000);
    }
    microphone.onData({ samples, sampleRate: 48000, bitsPerSample: 16, channelCount: 1, numberOfFrames: 480 });
  }, 10);
  return {
    tracks: [camera.createTrack(), microphone.createTrack()],
    close() {
      clearInterval(film);
      clearInterval(tone);
    },
  };
}

async function call() {
  const [hers, his] = [devices(), devices()];
  const [alice, bob] = [new RTCPeerConnection(), new RTCPeerConnection()];
  const joined = (pc, { tracks }) => {
    const stream = new MediaStream();
    for (const track of tracks) pc.addTrack(track, stream);
  };
  joined(alice, hers);
  let sink;
  const seen = new Promise((resolve) => {
    bob.ontrack = ({ track }) => {
      if (track.kind !== 'video') return;
      sink = new RTCVideoSink(track);
      sink.onframe = () => resolve(performance.now());
    };
  });
  // As between strangers: what is gathered early waits for the description.
  const trickle = (from, to) => {
    const early = [];
    let ready = false;
    from.onicecandidate = ({ candidate }) => {
      if (!candidate) return;
      if (ready) to.addIceCandidate(candidate);
      else early.push(candidate);
    };
    return () => {
      ready = true;
      for (const candidate of early) to.addIceCandidate(candidate);
    };
  };
  const bobHears = trickle(alice, bob);
  const aliceHears = trickle(bob, alice);
  const offer = await alice.createOffer();
  await alice.setLocalDescription(offer);

  const accepted = performance.now();
  await bob.setRemoteDescription(offer);
  joined(bob, his);
  const answer = await bob.createAnswer();
  await bob.setLocalDescription(answer);
  bobHears();
  await alice.setRemoteDescription(answer);
  aliceHears();
  const took = (await seen) - accepted;

  sink.stop();
  hers.close();
  his.close();
  alice.close();
  bob.close();
  return took;
}

const first_frame_ms = [];
for (let n = 0; n < CALLS; n += 1) first_frame_ms.push(await call());
console.log(JSON.stringify({ first_frame_ms }));
process.exit(0);
