"""LeNet on MNIST: nn.Sequential as in its reference, the loop of PyTorch's blitz tutorial."""

import torch
from torch import nn


def build():
    return nn.Sequential(
        nn.Conv2d(1, 20, 5),
        nn.Tanh(),
        nn.MaxPool2d(2),
        nn.Conv2d(20, 50, 5),
        nn.Tanh(),
        nn.MaxPool2d(2),
        nn.Flatten(),
        nn.Linear(50 * 4 * 4, 500),
        nn.Tanh(),
        nn.Linear(500, 10),
    )


def train(model, batches, learning_rate):
    loss_fn = nn.CrossEntropyLoss()
    optimizer = torch.optim.SGD(model.parameters(), lr=learning_rate)
    losses = []
    model.train()
    for images, labels in batches:
        optimizer.zero_grad()
        loss = loss_fn(model(torch.from_numpy(images)), torch.from_numpy(labels).long())
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
    return losses


def predict(model, images):
    model.eval()
    with torch.no_grad():
        return model(torch.from_numpy(images)).numpy()
