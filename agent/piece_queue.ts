/** A queue between whoever sends piece by piece and one reader: the sender is slowed down while pieces wait. */

/** Source of pieces. */
interface PieceSource {
  pause(): unknown;
  resume(): unknown;
}

/** How many pieces may wait. */
export interface PieceLimits {
  /** The source is paused at so many. */
  readonly most: number;
  /** It goes on with fewer than so many. */
  readonly resumeBelow: number;
}

export class PieceQueue<Piece> {
  readonly #pieces: Piece[] = [];
  #waiting: PromiseWithResolvers<Piece | null> | undefined;
  #isOver = false;

  constructor(private readonly source: PieceSource, private readonly limits: PieceLimits) {}

  /** The next piece; null at the end, and when it breaks off. */
  next(): Promise<Piece | null> {
    const piece = this.#pieces.shift();
    if (this.#pieces.length < this.limits.resumeBelow && !this.#isOver) this.source.resume();
    if (piece !== undefined) return Promise.resolve(piece);
    if (this.#isOver) return Promise.resolve(null);
    this.#waiting = Promise.withResolvers();
    return this.#waiting.promise;
  }

  /** Has the piece that is waited for fail. */
  interrupt(reason: unknown): void {
    this.#waiting?.reject(reason);
    this.#waiting = undefined;
  }

  /** Takes a piece that has come. After the end none is taken. */
  put(piece: Piece): void {
    if (this.#isOver) return;
    if (this.#waiting) return this.#settle(piece);
    this.#pieces.push(piece);
    if (this.#pieces.length >= this.limits.most) this.source.pause();
  }

  /** No further piece comes. Those that wait are still read. */
  end(): void {
    this.#isOver = true;
    this.#settle(null);
  }

  /** Nothing more is read: what waits and what still comes is thrown away. */
  discard(): void {
    this.#pieces.length = 0;
    this.end();
    this.source.resume();
  }

  #settle(piece: Piece | null): void {
    this.#waiting?.resolve(piece);
    this.#waiting = undefined;
  }
}
