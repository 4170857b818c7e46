"""InstructMining: find the best part of an instruction dataset, finetune on it, and show whether it was worth it.

One room (package) a stage, in the order the data flow; a room imports only rooms above it:

- jobs: what every job needs: errors, paths, files, locks, logs, records of what it ran with
- settings: the keys of the config as data, specs of scorers and other kinds, versions
- data: sources, formats, reading, examples, mixtures
- models: loading, prompts, batching, likelihood, generation, embeddings
- judge: asking an LLM judge, over an API or on this machine
- scorers: one module a scorer: numbers about examples
- indicators: tables of those numbers, and their checks
- quality_rules: the regression of log(loss) on indicators, and how far it can be trusted
- selection: rankings, subsets, overlap, diversity, the search for a size
- strategies: one module a strategy: a pool in order, best first
- training: finetuning, its launchers, the model card
- evaluations: one module a kind of benchmark: figures about runs
- config: sections, checks, and the names that follow from a config
- dag: which job reads and writes what, for the rules
- costs: what jobs measured, and tables of it
- tables: what each table of a study holds
- report: pages, charts, words
- trail: archives, and computing their tables again
"""

__version__ = "0.1.0"
