/** Common parts of all uPlot graphs: the stylesheet's colours, and a size that follows the box. */
import type uPlot from "uplot";

/**
 * Reads a colour of the stylesheet. A custom property is text to a script, `light-dark()` and all; the colour of an
 * element that uses it is resolved.
 */
export function colourOf(box: HTMLElement, attribute: string, value: string): string {
  const probe = document.createElement("i");
  probe.setAttribute(attribute, value);
  box.append(probe);
  const { color } = getComputedStyle(probe);
  probe.remove();
  return color;
}

/** The same colour, almost transparent, for an area. */
export function dimmed(colour: string, alpha = 0.13): string {
  return colour.replace(/^rgb\((.*)\)$/, `rgba($1, ${alpha})`);
}

/** Axes in the stylesheet's colours. */
export function axisOf(box: HTMLElement): uPlot.Axis {
  return {
    stroke: () => colourOf(box, "data-ink", "axis"),
    grid: { stroke: () => colourOf(box, "data-ink", "grid"), width: 1 },
    ticks: { show: false },
    font: `11px ${getComputedStyle(box).fontFamily}`,
  };
}

/** Keeps a graph as wide as its box, and in the colours of the theme. @returns how to stop */
export function followBox(box: HTMLElement, plot: uPlot, height: number): () => void {
  const resize = new ResizeObserver(() => plot.setSize({ width: Math.max(1, box.clientWidth), height }));
  resize.observe(box);
  const redraw = () => plot.redraw(false);
  const theme = new MutationObserver(redraw);
  theme.observe(document.documentElement, { attributeFilter: ["data-theme"] });
  const device = matchMedia("(prefers-color-scheme: dark)");
  device.addEventListener("change", redraw);
  return () => {
    resize.disconnect();
    theme.disconnect();
    device.removeEventListener("change", redraw);
  };
}
