/** A soft two-note chime, made on the spot. */
let context: AudioContext | null = null;

export function chime(): void {
  try {
    context ??= new AudioContext();
    const start = context.currentTime;
    for (const [i, pitch] of [659.25, 880].entries()) {
      const tone = context.createOscillator();
      const volume = context.createGain();
      const at = start + i * 0.11;
      tone.frequency.value = pitch;
      volume.gain.setValueAtTime(0, at);
      volume.gain.linearRampToValueAtTime(0.06, at + 0.015);
      volume.gain.exponentialRampToValueAtTime(0.0001, at + 0.35);
      tone.connect(volume).connect(context.destination);
      tone.start(at);
      tone.stop(at + 0.4);
    }
  } catch {
    // No audio output: the toast is enough.
  }
}
