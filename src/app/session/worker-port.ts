/** Commands to the worker and what it sends of itself. Knows no more of the worker than a way to post and to hear. */
import { answers, handedOver } from '../../pure/protocol/commands.ts'
import type { AnswerTo, Command, CommandName } from '../../pure/protocol/commands.ts'
import { complaint, fromWorker } from '../../pure/protocol/messages.ts'
import type { FromWorker, ToWorker } from '../../pure/protocol/messages.ts'

export interface Channel {
  /** `buffers` go to the worker and are empty here afterwards. */
  post(message: ToWorker, buffers: readonly ArrayBufferLike[]): void
  listen(hear: (message: unknown) => void): void
}

type News = Exclude<FromWorker, { kind: 'answer' }>

export interface WorkerPort {
  ask<Name extends CommandName>(command: Extract<Command, { command: Name }>): Promise<AnswerTo<Name>>
  /** Everything but answers. */
  listen(hear: (news: News) => void): void
}

export const openPort = (channel: Channel): WorkerPort => {
  const waiting = new Map<number, (answer: unknown) => void>()
  const hearers: ((news: News) => void)[] = []
  let last = 0

  const tell = (news: News): void => {
    for (const hear of hearers) hear(news)
  }

  channel.listen((data) => {
    const parsed = fromWorker.safeParse(data)
    if (!parsed.success) {
      tell({ kind: 'failed', what: complaint('A message of the worker was not understood', parsed.error) })
      return
    }
    const message = parsed.data
    if (message.kind !== 'answer') {
      tell(message)
      return
    }
    waiting.get(message.id)?.(message.answer)
    waiting.delete(message.id)
  })

  return {
    ask: (command) => {
      const id = ++last
      const answered = new Promise<AnswerTo<typeof command.command>>((resolve, reject) => {
        waiting.set(id, (answer) => {
          const parsed = answers[command.command].safeParse(answer)
          if (parsed.success) resolve(parsed.data)
          else reject(new Error(complaint(`The answer to "${command.command}" was not understood`, parsed.error)))
        })
      })
      channel.post({ id, command }, handedOver(command))
      return answered
    },
    listen: (hear) => {
      hearers.push(hear)
    },
  }
}
