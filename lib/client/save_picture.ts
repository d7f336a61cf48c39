/** Saving a graph as a picture, from the page. */
import { colourOf } from "./plot.ts";
import { saveBlob } from "./save_file.ts";

/** Pixels around the graph, and above it for the texts. */
const MARGIN = 12, HEAD = 44;

/** Texts above the graph. */
export interface PictureTexts {
  readonly title: string;
  /** Each with the colour of its line, by the stylesheet's name. */
  readonly legend: readonly { readonly token: string; readonly text: string }[];
}

/** Hands the browser a PNG of a graph, in the colours it is shown in. @throws {Error} where there is no memory for it */
export async function savePicture(name: string, graph: HTMLCanvasElement, { title, legend }: PictureTexts) {
  const box = graph.parentElement!, ratio = devicePixelRatio;
  const canvas = document.createElement("canvas");
  canvas.width = graph.width + 2 * MARGIN * ratio;
  canvas.height = graph.height + (HEAD + MARGIN) * ratio;
  const context = canvas.getContext("2d");
  if (context === null) throw new Error("there is no memory for it");
  const family = getComputedStyle(box).fontFamily;
  context.fillStyle = colourOf(box, "data-ink", "ground");
  context.fillRect(0, 0, canvas.width, canvas.height);
  context.scale(ratio, ratio);
  context.fillStyle = colourOf(box, "data-ink", "text");
  context.font = `600 13px ${family}`;
  context.fillText(title, MARGIN, 20);
  context.font = `12px ${family}`;
  let x = MARGIN;
  for (const { token, text } of legend) {
    context.fillStyle = colourOf(box, "data-series", token);
    context.fillRect(x, 29, 8, 8);
    context.fillStyle = colourOf(box, "data-ink", "text");
    context.fillText(text, x + 13, 37);
    x += 13 + context.measureText(text).width + 16;
  }
  context.setTransform(1, 0, 0, 1, 0, 0);
  context.drawImage(graph, MARGIN * ratio, HEAD * ratio);
  const picture = await new Promise<Blob | null>((resolve) => canvas.toBlob(resolve, "image/png"));
  if (picture === null) throw new Error("the browser could not make it");
  saveBlob(name, picture);
}
