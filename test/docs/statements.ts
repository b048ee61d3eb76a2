/** Code with its claims: `expression; // what it is` becomes a call that compares the two. */

/** Where the comment of a line begins, or its length. Quotes are skipped; examples have no other surprises. */
function commentStart(line: string): number {
  let quote = "";
  for (let i = 0; i < line.length; i++) {
    const c = line[i]!;
    if (quote) {
      if (c === "\\") i++;
      else if (c === quote) quote = "";
    } else if (c === '"' || c === "'" || c === "`") quote = c;
    else if (line.startsWith("//", i)) return i;
  }
  return line.length;
}

const depthOf = (code: string): number => {
  const bare = code.replaceAll(/"(?:\\.|[^"\\])*"|'(?:\\.|[^'\\])*'|`(?:\\.|[^`\\])*`/g, "");
  return (bare.match(/[([{]/g)?.length ?? 0) - (bare.match(/[)\]}]/g)?.length ?? 0);
};

const keyword =
  /^(?:const|let|var|class|function|async|for|while|if|else|return|throw|try|catch|import|export|type|interface|using)\b/;

/** One statement, and the comment beside it or on the lines right below it. */
interface Statement {
  readonly code: string;
  readonly comment: string;
}

function statements(code: string): Statement[] {
  const result: { code: string; comment: string }[] = [];
  let open = "";
  let adjacent = false;
  for (const line of code.split("\n")) {
    const at = commentStart(line);
    const comment = line.slice(at + 2).replace(/^ /, "");
    const bare = line.slice(0, at).trimEnd();
    if (open === "" && bare.trim() === "") {
      const last = result.at(-1);
      if (at < line.length && adjacent && last) last.comment += `${last.comment ? "\n" : ""}${comment}`;
      else adjacent = false;
      continue;
    }
    open += `${open ? "\n" : ""}${bare}`;
    if (depthOf(open) > 0 || !/[;}]$/.test(bare)) continue;
    result.push({ code: open, comment });
    open = "";
    adjacent = true;
  }
  if (open) result.push({ code: open, comment: "" });
  return result;
}

/** The code with `claim(value, "comment")` in place of each expression that has a comment; the number of claims beside it. */
export function withClaims(code: string): { code: string; claims: number } {
  let claims = 0;
  const lines = statements(code).map((statement) => {
    if (statement.comment === "" || keyword.test(statement.code)) return statement.code;
    claims++;
    return `claim(${statement.code.replace(/;$/, "")}, ${JSON.stringify(statement.comment)});`;
  });
  return { code: lines.join("\n"), claims };
}
