/** Rendering a component again only when its props changed: `memo` without the rest of `preact/compat`. */
import { Component, type ComponentType, type FunctionComponent, h } from "preact";

function differ(a: object, b: object): boolean {
  const before = a as Record<string, unknown>;
  const after = b as Record<string, unknown>;
  const keys = Object.keys(after);
  return keys.length !== Object.keys(before).length || keys.some((key) => before[key] !== after[key]);
}

/** Wraps a component; props are compared by identity, one by one. Signals it reads still render it. */
export function memo<P extends object>(render: FunctionComponent<P>): ComponentType<P> {
  return class Memo extends Component<P> {
    override shouldComponentUpdate(next: Readonly<P>): boolean {
      return differ(this.props, next);
    }

    override render() {
      return h(render, this.props);
    }
  };
}
