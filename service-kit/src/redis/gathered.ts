interface Batch<Question, Answer> {
  questions: Question[];
  answers: Promise<Answer[]>;
  send: () => void;
}

/**
 * Sends the questions of one turn of the event loop together, at most so many at once. A question that comes later never
 * gets an answer that was given before it.
 * @param ask returns the answers in the order of the questions
 */
export function gathered<Question, Answer>(most: number, ask: (questions: Question[]) => Promise<Answer[]>) {
  let open: Batch<Question, Answer> | undefined;
  const openBatch = (): Batch<Question, Answer> => {
    const questions: Question[] = [];
    let send = () => {};
    const sent = new Promise<void>((resolve) => {
      send = resolve;
    });
    const batch = {
      questions,
      send,
      answers: sent.then(() => {
        if (open === batch) open = undefined;
        return ask(questions);
      }),
    };
    setImmediate(send);
    return batch;
  };
  return async (question: Question): Promise<Answer> => {
    open ??= openBatch();
    const batch = open;
    const place = batch.questions.push(question) - 1;
    if (batch.questions.length >= most) {
      open = undefined;
      batch.send();
    }
    return (await batch.answers)[place] as Answer;
  };
}
