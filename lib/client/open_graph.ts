/**
 * Opening a graph. What draws it (uPlot) weighs more than the page around it, so it is fetched when a graph first comes
 * into view: the figures, which are text, never wait for it.
 */

/** A graph that is drawn. */
export interface DrawnGraph<Data> {
  readonly show: (data: Data) => void;
  readonly destroy: () => void;
}

/** A graph that is drawn now, or will be once it is seen. */
export interface OpenGraph<Data> {
  /** Shows this: at once, or as soon as it is drawn. */
  readonly show: (data: Data) => void;
  readonly close: () => void;
}

/**
 * Draws into a box as soon as that is in view.
 *
 * @param load fetches what draws, and gives how to
 */
export function openGraph<Data, Drawn extends DrawnGraph<Data>>(
  box: HTMLElement,
  load: () => Promise<() => Drawn>,
  onDrawn: (drawn: Drawn) => void = () => {},
): OpenGraph<Data> {
  let drawn: Drawn | undefined;
  let latest: { readonly data: Data } | undefined;
  let closed = false;

  async function draw(): Promise<void> {
    const begin = await load();
    if (closed) return;
    drawn = begin();
    if (latest !== undefined) drawn.show(latest.data);
    onDrawn(drawn);
  }

  const seen = new IntersectionObserver((entries) => {
    if (!entries.some(({ isIntersecting }) => isIntersecting)) return;
    seen.disconnect();
    draw().catch((error) => {
      // The picture adds to figures that are there as text: without it the page says all it knows.
      if (!closed) console.warn("A graph cannot be drawn:", error);
    });
  });
  seen.observe(box);
  return {
    show: (data) => {
      latest = { data };
      drawn?.show(data);
    },
    close: () => {
      closed = true;
      seen.disconnect();
      drawn?.destroy();
    },
  };
}
