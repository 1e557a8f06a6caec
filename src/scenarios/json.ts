/** Where and why a text is not understood as JSON: lines and columns count from 1. */
export interface JsonMistake {
  readonly line: number;
  readonly column: number;
  readonly message: string;
}

const SPACE = /[ \t\n\r]*/y;
const TOKEN =
  /(?<sign>[{}[\],:])|(?<text>"(?:[^"\\\p{Cc}\u2028\u2029]|[\u007f-\u009f\u2028\u2029]|\\(?:["\\/bfnrt]|u[0-9a-fA-F]{4}))*")|(?<word>(?:-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?|true|false|null)(?![\w.+-]))/uy;

/** What may come next. */
type Next = 'value' | 'value or ]' | 'name' | 'name or }' | ':' | ', or }' | ', or ]' | 'end';
type Leads = Next | 'up' | 'on';
type Kind = '{' | '}' | '[' | ']' | ',' | ':' | 'text' | 'word';

// What a token of a kind leads to; `up` ends an object or a list, `on` goes on in the one that is open.
const VALUE = { '{': 'name or }', '[': 'value or ]', text: 'on', word: 'on' } as const;
const AFTER: Readonly<Record<Next, Readonly<Partial<Record<Kind, Leads>>>>> = {
  value: VALUE,
  'value or ]': { ...VALUE, ']': 'up' },
  name: { text: ':' },
  'name or }': { text: ':', '}': 'up' },
  ':': { ':': 'value' },
  ', or }': { ',': 'name', '}': 'up' },
  ', or ]': { ',': 'value', ']': 'up' },
  end: {},
};

const WANTED: Readonly<Record<Next, string>> = {
  value: 'a value',
  'value or ]': 'a value or ]',
  name: 'a name in double quotes',
  'name or }': 'a name in double quotes or }',
  ':': 'a colon',
  ', or }': 'a comma or }',
  ', or ]': 'a comma or ]',
  end: 'nothing more',
};

/** An object or a list that has begun; the names that an object has so far. */
interface Open {
  readonly sign: '{' | '[';
  readonly names: Set<string>;
}

/**
 * Finds the first mistake of a text: what JSON.parse refuses without always saying where, and a name that stands twice in
 * an object, of which JSON.parse keeps the last and says nothing.
 * @returns undefined when there is none.
 */
export function jsonMistake(text: string): JsonMistake | undefined {
  const open: Open[] = [];
  let next: Next = 'value';
  let at = 0;
  for (;;) {
    SPACE.lastIndex = at;
    SPACE.test(text);
    at = SPACE.lastIndex;
    if (at === text.length) {
      return next === 'end' ? undefined : mistakeAt(text, at, `the text ends, ${WANTED[next]} should come`);
    }
    TOKEN.lastIndex = at;
    const match = TOKEN.exec(text);
    const kind = match === null ? undefined : kindOf(match);
    const leads: Leads | undefined = kind === undefined ? undefined : AFTER[next][kind];
    if (match === null || leads === undefined) return mistakeAt(text, at, explained(text, at, next));
    if (leads === ':' && isTwin(open.at(-1), match[0])) {
      return mistakeAt(text, at, `the name ${match[0]} stands twice in this object`);
    }
    if (kind === '{' || kind === '[') open.push({ sign: kind, names: new Set() });
    if (leads === 'up') open.pop();
    next = leads === 'up' || leads === 'on' ? goingOn(open.at(-1)) : leads;
    at = TOKEN.lastIndex;
  }
}

/** Whether an object has a name already; if not, it has it from now on. */
function isTwin(object: Open | undefined, token: string): boolean {
  const name = JSON.parse(token) as string; // one name can be written in many ways
  if (object?.names.has(name)) return true;
  object?.names.add(name);
  return false;
}

function kindOf({ groups }: RegExpExecArray): Kind {
  if (groups?.['text'] !== undefined) return 'text';
  return (groups?.['sign'] ?? 'word') as Kind;
}

function goingOn(open: Open | undefined): Next {
  if (open === undefined) return 'end';
  return open.sign === '{' ? ', or }' : ', or ]';
}

const MOST_SHOWN = 20;

/** What is wrong in words; the mistakes that people make have words of their own. */
function explained(text: string, at: number, next: Next): string {
  const rest = text.slice(at, at + MOST_SHOWN);
  if (next === 'end') return 'something follows the end; one file holds one object';
  if ((next === 'name' || next === 'value') && /^[}\]]/.test(rest)) {
    return `there is a comma or a colon too much before this ${rest.slice(0, 1)}`;
  }
  if (/^\/[/*]/.test(rest)) return 'there are no comments in JSON; take it out';
  if (rest.startsWith("'")) return 'names and texts stand in double quotes';
  if (rest.startsWith('"') && AFTER[next].text !== undefined) {
    return 'this text does not end on its line, or has a backslash that means nothing';
  }
  const [found = ''] = /^(?:[\w.+-]+|[^])/u.exec(rest) ?? [];
  return `${WANTED[next]} should come here, not ${found}`;
}

function mistakeAt(text: string, at: number, message: string): JsonMistake {
  const before = text.slice(0, at);
  return { line: before.split('\n').length, column: at - before.lastIndexOf('\n'), message };
}
