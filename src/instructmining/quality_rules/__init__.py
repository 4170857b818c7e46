"""Quality rules: the regression of log(loss) on indicator means, and how far one can be trusted."""
