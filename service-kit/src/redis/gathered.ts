interface Batch<Question, Response> {
  questions: Question[];
  responses: Promise<Response[]>;
  send: () => void;
}

/**
 * Sends the questions of one turn of the event loop together, at most `most` at once. No question gets a response that was
 * made before it was asked.
 * @param ask returns the responses in the order of the questions
 * @param afterwards runs a function when a turn has ended; `process.nextTick`: when what has just resolved was handled
 */
export function gathered<Question, Response>(
  most: number,
  ask: (questions: Question[]) => Promise<Response[]>,
  afterwards: (send: () => void) => void = setImmediate,
) {
  let open: Batch<Question, Response> | undefined;
  const openBatch = (): Batch<Question, Response> => {
    const questions: Question[] = [];
    let send = () => {};
    const sent = new Promise<void>((resolve) => {
      send = resolve;
    });
    const batch = {
      questions,
      send,
      responses: sent.then(() => {
        if (open === batch) open = undefined;
        return ask(questions);
      }),
    };
    afterwards(send);
    return batch;
  };
  return async (question: Question): Promise<Response> => {
    open ??= openBatch();
    const batch = open;
    const place = batch.questions.push(question) - 1;
    if (batch.questions.length >= most) {
      open = undefined;
      batch.send();
    }
    return (await batch.responses)[place] as Response;
  };
}
