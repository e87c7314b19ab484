"""What scikit-learn makes of the trainings in training.spec.ts, as JSON on standard output."""
import csv
import json
import os

import numpy as np
from sklearn.linear_model import LogisticRegression, Ridge
from sklearn.metrics import brier_score_loss, log_loss, r2_score, roc_auc_score

here = os.path.dirname(os.path.abspath(__file__))
german = os.path.join(here, 'german.csv')
registry = os.path.join(here, '..', '..', 'demo', 'data', 'nafld', 'registry.csv')
covariates = ['age', 'meno', 'size', 'grade', 'nodes', 'pgr', 'er', 'hormon']


def number(text):
    if text == '':
        return float('nan')
    return {'true': 1.0, 'false': 0.0}.get(text) if text in ('true', 'false') else float(text)


def read(path, columns):
    with open(path, newline='') as file:
        rows = list(csv.DictReader(file))
    return np.array([[number(row[column]) for column in columns] for row in rows])


def prepared(x):
    x = np.where(np.isnan(x), np.nanmean(x, axis=0), x)
    return (x - x.mean(axis=0)) / x.std(axis=0)


def errors(x, weight, penalty, dispersion):
    design = np.hstack([x, np.ones((len(x), 1))])
    curvature = (design * weight[:, None]).T @ design
    curvature[np.diag_indices(x.shape[1])] += penalty
    return np.sqrt(np.diag(np.linalg.inv(curvature)) * dispersion).tolist()


def interval(score, y):
    """DeLong, pair by pair."""
    positive, negative = score[y == 1], score[y == 0]
    wins = (positive[:, None] > negative) + 0.5 * (positive[:, None] == negative)
    half = 1.959963984540054 * np.sqrt(
        wins.mean(axis=1).var(ddof=1) / len(positive) + wins.mean(axis=0).var(ddof=1) / len(negative)
    )
    return [wins.mean() - half, wins.mean() + half]


def logistic(path, features, target, penalty):
    x, y = prepared(read(path, features)), read(path, [target])[:, 0]
    model = LogisticRegression(C=1 / penalty, solver='newton-cholesky', tol=1e-10, max_iter=1000).fit(x, y)
    score, probability = model.decision_function(x), model.predict_proba(x)[:, 1]
    return {
        'coefficients': model.coef_[0].tolist() + model.intercept_.tolist(),
        'standardErrors': errors(x, probability * (1 - probability), penalty, 1),
        'metrics': {
            'auc': roc_auc_score(y, score),
            'logLoss': log_loss(y, probability),
            'brier': brier_score_loss(y, probability),
        },
        'aucInterval': interval(score, y),
    }


def linear(path, features, target, penalty):
    x, y = prepared(read(path, features)), read(path, [target])[:, 0]
    model = Ridge(alpha=penalty, solver='cholesky').fit(x, y)
    left = y - model.predict(x)
    dispersion = left @ left / (len(x) - x.shape[1] - 1)
    return {
        'coefficients': model.coef_.tolist() + [float(model.intercept_)],
        'standardErrors': errors(x, np.ones(len(x)), penalty, dispersion),
        'metrics': {
            'r2': r2_score(y, model.predict(x)),
            'rootMeanSquaredError': float(np.sqrt(np.mean(left**2))),
        },
        'aucInterval': None,
    }


patient = ['age', 'male', 'weight', 'height', 'bmi']
print(
    json.dumps(
        {
            'recurrence': logistic(german, covariates, 'status', 1.0),
            'recurrence, hardly any penalty': logistic(german, covariates, 'status', 1e-3),
            'time to recurrence': linear(german, covariates, 'rfstime', 10.0),
            'death, with missing values': logistic(registry, patient, 'died', 1.0),
            'age': linear(registry, ['male', 'died'], 'age', 1.0),
        },
        indent=1,
    )
)
