// Arguments: which tile, how long (ms), width and height of the samples, and
// the function that takes the answer.
const [selector, time, width, height, done] = arguments;
const small = new OffscreenCanvas(width, height);
const pen = small.getContext('2d', { willReadFrequently: true });
pen.imageSmoothingEnabled = false;
const looks = [];
const times = [];
const begun = performance.now();
let size = [0, 0];
let last;

function look() {
    const canvas = document.querySelector(`${selector} [data-testid="tile-canvas"]`);
    if (canvas && canvas.dataset.drawn !== last && Number(canvas.dataset.drawn) > 0) {
        last = canvas.dataset.drawn;
        size = [canvas.width, canvas.height];
        pen.drawImage(canvas, 0, 0, canvas.width, canvas.height / 4, 0, 0, width, height);
        const { data } = pen.getImageData(0, 0, width, height);
        let luma = '';
        for (let at = 0; at < data.length; at += 4) {
            const value = 0.2126 * data[at] + 0.7152 * data[at + 1] + 0.0722 * data[at + 2];
            luma += String.fromCharCode(Math.round(value));
        }
        looks.push(btoa(luma));
        times.push(performance.now() - begun);
    }
    const ms = performance.now() - begun;
    if (ms < time) requestAnimationFrame(look);
    else done({ looks, times, ms, width: size[0], height: size[1] });
}
look();
