/**
 * The part of FHIRPath that R4's SearchParameters are written in (http://hl7.org/fhir/R4/searchparameter-registry.html), as a tree.
 * Anything else is refused, so that a parameter never means less than its expression says.
 */
export type Node =
  /** The value that the expression is held against: the resource, or inside `where` one item. */
  | { readonly op: 'this' }
  | { readonly op: 'literal'; readonly value: string | number | boolean }
  /** A member of `of`. At the root a capital begins the name of a type. */
  | { readonly op: 'member'; readonly of: Node; readonly name: string }
  | { readonly op: 'item'; readonly of: Node; readonly at: number }
  | { readonly op: 'union'; readonly left: Node; readonly right: Node }
  | { readonly op: 'as'; readonly of: Node; readonly type: string }
  | { readonly op: 'where'; readonly of: Node; readonly test: Node }
  /** `resolve() is T`: only inside `where`. */
  | { readonly op: 'refers'; readonly type: string }
  | { readonly op: 'exists'; readonly of: Node }
  | { readonly op: 'extension'; readonly of: Node; readonly url: string }
  | { readonly op: 'and' | 'or' | '=' | '!='; readonly left: Node; readonly right: Node };

type Token = { readonly is: 'name' | 'text' | 'number' | 'sign'; readonly text: string };

const pattern = /\s*(?:([A-Za-z_][A-Za-z0-9_]*)|'((?:[^'\\]|\\.)*)'|(\d+(?:\.\d+)?)|(!=|[.()|=,[\]]))/gy;

function tokens(expression: string): readonly Token[] {
  const found: Token[] = [];
  const text = expression.trim();
  pattern.lastIndex = 0;
  while (pattern.lastIndex < text.length) {
    const at = pattern.lastIndex;
    const match = pattern.exec(text);
    if (match === null) throw new SyntaxError(`\`${expression}\` cannot be read from position ${at}`);
    const [, name, quoted, number, sign] = match;
    if (name !== undefined) found.push({ is: 'name', text: name });
    else if (quoted !== undefined) found.push({ is: 'text', text: quoted.replaceAll(/\\(.)/g, '$1') });
    else if (number !== undefined) found.push({ is: 'number', text: number });
    else found.push({ is: 'sign', text: sign! });
  }
  return found;
}

const here: Node = { op: 'this' };

/** The tree of an expression. Throws a SyntaxError for what is outside the subset: a mistake in a definition, not in a request. */
export function parseExpression(expression: string): Node {
  const list = tokens(expression);
  let at = 0;
  const sees = (text: string) => list[at]?.text === text && list[at]?.is !== 'text';
  const fail = (what: string): never => {
    throw new SyntaxError(`\`${expression}\`: ${what} at ${list[at]?.text ?? 'its end'}`);
  };
  const take = (text: string): boolean => {
    if (!sees(text)) return false;
    at += 1;
    return true;
  };
  const need = (text: string) => {
    if (!take(text)) fail(`no \`${text}\``);
  };
  const name = (): string => {
    const token = list[at];
    if (token?.is !== 'name') return fail('no name');
    at += 1;
    return token.text;
  };
  /** `FHIR.dateTime` is `dateTime`. */
  const typeName = (): string => {
    let type = name();
    while (take('.')) type = name();
    return type;
  };

  function binary(operators: readonly ('and' | 'or' | '=' | '!=')[], operand: () => Node): () => Node {
    return () => {
      let left = operand();
      for (let op = operators.find(take); op !== undefined; op = operators.find(take)) left = { op, left, right: operand() };
      return left;
    };
  }
  function union(): Node {
    let left = cast();
    while (take('|')) left = { op: 'union', left, right: cast() };
    return left;
  }
  function cast(): Node {
    const of = path();
    return take('as') ? { op: 'as', of, type: typeName() } : of;
  }
  function path(): Node {
    let of = term();
    for (;;) {
      if (take('.')) of = invocation(of);
      else if (take('[')) {
        const index = list[at++];
        if (index?.is !== 'number') fail('no index');
        of = { op: 'item', of, at: Number(index!.text) };
        need(']');
      } else return of;
    }
  }
  function term(): Node {
    if (take('(')) {
      const inside = whole();
      need(')');
      return inside;
    }
    const token = list[at];
    if (token?.is === 'text' || token?.is === 'number') {
      at += 1;
      return { op: 'literal', value: token.is === 'number' ? Number(token.text) : token.text };
    }
    if (take('true')) return { op: 'literal', value: true };
    if (take('false')) return { op: 'literal', value: false };
    return invocation(here);
  }
  function invocation(of: Node): Node {
    const called = name();
    if (!take('(')) return { op: 'member', of, name: called };
    if (called === 'resolve') {
      need(')');
      need('is');
      return { op: 'refers', type: typeName() };
    }
    const node = call(of, called);
    need(')');
    return node;
  }
  function call(of: Node, called: string): Node {
    switch (called) {
      case 'exists':
        return { op: 'exists', of };
      case 'as':
      case 'ofType':
        return { op: 'as', of, type: typeName() };
      case 'where':
        return { op: 'where', of, test: whole() };
      case 'extension': {
        const url = list[at++];
        return url?.is === 'text' ? { op: 'extension', of, url: url.text } : fail('no url');
      }
      default:
        return fail(`\`${called}()\` is not known`);
    }
  }
  const whole: () => Node = binary(['or'], binary(['and'], binary(['=', '!='], union)));
  const tree = whole();
  return at === list.length ? tree : fail('something is left over');
}
