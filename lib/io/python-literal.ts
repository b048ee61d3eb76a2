/** Reads the Python literals of which a header of NumPy consists, in linear time. */

/** A dict, whose keys are strings. */
export type Dict = ReadonlyMap<string, Literal>;
export type Literal = string | number | boolean | null | Dict | readonly Literal[];

type Token = { readonly mark: string } | { readonly value: string | number | boolean | null };

/** Throws an error that describes why the text is no such literal. */
type Refuse = (fact: string) => never;

const words = new Map<string, boolean | null>([
  ["True", true],
  ["False", false],
  ["None", null],
]);
const pattern = /\s*(?:([{}()[\]:,])|'([^'\\\n]*)'|"([^"\\\n]*)"|(\d{1,16})L?(?![\w.])|([A-Za-z]+))/y;

function* tokens(text: string, refuse: Refuse): Generator<Token, undefined> {
  const end = text.trimEnd().length;
  pattern.lastIndex = 0;
  for (let at = 0; at < end; at = pattern.lastIndex) {
    pattern.lastIndex = at;
    const found = pattern.exec(text) ?? refuse(`a token was expected at ${at}`);
    const [, mark, single, double, digits, word] = found;
    if (mark !== undefined) yield { mark };
    else if (digits !== undefined) yield { value: Number(digits) };
    else if (word === undefined) yield { value: single ?? double! };
    else yield { value: words.has(word) ? words.get(word)! : refuse(`${word} was not expected at ${at}`) };
  }
  return undefined;
}

const deepest = 16;

/** The value of a literal. */
export function parseLiteral(text: string, refuse: Refuse): Literal {
  const source = tokens(text, refuse);
  let token = source.next();
  const advance = (): void => {
    token = source.next();
  };
  const isMark = (mark: string): boolean => token.done !== true && "mark" in token.value && token.value.mark === mark;
  const take = (mark: string): void => (isMark(mark) ? advance() : refuse(`${mark} was expected`));

  /** What stands between brackets, separated by commas; says whether there was a comma. */
  const list = (close: string, item: () => void): boolean => {
    let comma = false;
    while (!isMark(close)) {
      item();
      if (!isMark(",")) break;
      comma = true;
      advance();
    }
    take(close);
    return comma;
  };
  const read = (depth: number): Literal => {
    if (depth > deepest) refuse(`nested more than ${deepest} deep`);
    if (token.done === true) return refuse("it ends too early");
    if ("value" in token.value) {
      const { value } = token.value;
      advance();
      return value;
    }
    const { mark } = token.value;
    advance();
    const items: Literal[] = [];
    const item = (): void => void items.push(read(depth + 1));
    if (mark === "[") {
      list("]", item);
      return items;
    }
    if (mark === "(") return list(")", item) || items.length !== 1 ? items : items[0]!;
    if (mark !== "{") return refuse(`${mark} was not expected`);
    const dict = new Map<string, Literal>();
    list("}", () => {
      const key = read(depth + 1);
      if (typeof key !== "string") return refuse("a key is no string");
      if (dict.has(key)) refuse(`the key '${key}' occurs twice`);
      take(":");
      dict.set(key, read(depth + 1));
    });
    return dict;
  };
  const value = read(0);
  return token.done === true ? value : refuse("something follows it");
}
