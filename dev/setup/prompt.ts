import { createInterface } from 'node:readline/promises'
import { Writable } from 'node:stream'
import { parseAnswer, type Question } from './questions.ts'

/** Writes to the terminal, except while it is muted. */
class Terminal extends Writable {
  isMuted = false

  override _write(chunk: Buffer, _encoding: string, done: () => void) {
    if (!this.isMuted) process.stdout.write(chunk)
    done()
  }
}

/** Asks one question until the answer is valid. Secrets are not shown. */
const ask = async (question: Question): Promise<string | undefined> => {
  for (;;) {
    const terminal = new Terminal()
    const reader = createInterface({ input: process.stdin, output: terminal, terminal: true })
    const answering = reader.question(`${question.question}: `)
    terminal.isMuted = question.isSecret === true
    const answer = await answering.finally(() => reader.close())
    if (question.isSecret) process.stdout.write('\n')
    if (answer.trim() === '' && question.isOptional) return undefined
    try {
      return parseAnswer(question, answer)
    } catch (error) {
      process.stdout.write(`${error instanceof Error ? error.message : 'This is not valid.'}\n`)
    }
  }
}

/** Asks questions on the terminal. Returns values by variable. */
export const askQuestions = async (questions: readonly Question[]): Promise<Record<string, string>> => {
  const answers: Record<string, string> = {}
  for (const question of questions) {
    const value = await ask(question)
    if (value !== undefined) answers[question.variable] = value
  }
  return answers
}
